import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { catalogueOf } from "../../src/ui/language.ts";

interface Term {
  readonly en: string;
  readonly zh: readonly string[];
  readonly not: readonly string[];
}

/** Rows of the tables, whose first three columns are the word, the Chinese word, and words that are not used for it. */
function termsOf(page: string): readonly Term[] {
  const rows = page.split("\n").filter((line) => line.startsWith("|") && !/^\| (英文|-)/.test(line));
  return rows.map((row) => {
    const [en = "", zh = "", not = ""] = row
      .slice(1)
      .split("|")
      .map((cell) => cell.trim());
    return { en, zh: zh.split("、"), not: not === "" ? [] : not.split("、") };
  });
}

const terms = termsOf(readFileSync("docs/zh/glossary.md", "utf8"));

/** Every sentence of the program by where it stands; what has a sentence on both sides is a pair. */
function sentences(value: unknown, at = ""): readonly (readonly [string, string])[] {
  if (typeof value === "string") return [[at, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => sentences(inner, `${at}/${key}`));
}
const spoken = (language: "en" | "zh"): ReadonlyMap<string, string> => {
  const { failures, findings, commands, flags, notes, phases, words } = catalogueOf(language);
  const examples = Object.entries(commands).map(([name, { about }]): [string, string] => [name, about]);
  return new Map(
    sentences({ failures, findings, commands: Object.fromEntries<string>(examples), flags, notes, phases, words }),
  );
};
const english = spoken("en");
const chinese = spoken("zh");

/** What is typed or filled in is in neither language. */
const proseOf = (text: string): string =>
  text
    .replace(
      /robot\$[\w+]+|\{[^}]*\}|`[^`]*`|--[a-z-]+|\b[\w-]+(?:\.[\w-]+)+|\b[a-z]+(?:[-/][\w.:-]+)+|\b[\w./-]*(?:\.yaml|\.json|\.tar|bin\/)[\w./-]*/g,
      " ",
    )
    .replace(/higress-airgap [a-z -]+|\b(?:helm|kubectl|docker) [a-z]+\b/g, " ");

describe("the Chinese glossary", () => {
  it("is read, so that a green result means something", () => {
    expect(terms.length).toBeGreaterThan(25);
    expect(chinese.size).toBeGreaterThan(250);
    expect([...english.keys()].filter((key) => !chinese.has(key))).toEqual([]);
  });

  it("has every row of the English one for the words of the program", () => {
    const page = readFileSync("docs/en/glossary.md", "utf8");
    expect(terms.filter(({ en }) => !new RegExp(`^\\| ${en}\\b`, "m").test(page)).map(({ en }) => en)).toEqual([
      "namespace",
      "cluster",
      "node",
    ]);
  });

  it("gives the word that messages use where the English ones use its own", () => {
    const wrong = terms.flatMap(({ en, zh }) =>
      [...english]
        .filter(
          ([key, text]) =>
            new RegExp(`\\b${en}s?\\b`, "i").test(proseOf(text)) &&
            !zh.some((word) => chinese.get(key)?.includes(word)),
        )
        .map(([key, text]) => `${en} (${zh.join("、")}) ${key}: ${text} | ${chinese.get(key) ?? ""}`),
    );
    expect(wrong).toEqual([]);
  });

  it("forbids the other words", () => {
    const wrong = terms.flatMap(({ en, not }) =>
      [...chinese]
        .filter(
          ([key, text]) =>
            not.some((word) => text.includes(word)) && new RegExp(`\\b${en}s?\\b`, "i").test(english.get(key) ?? ""),
        )
        .map(([key, text]) => `${en} ${key}: ${text}`),
    );
    expect(wrong).toEqual([]);
  });
});
