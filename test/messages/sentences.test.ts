import { describe, expect, it } from "vitest";
import { Failure, failureCodes } from "../../src/model/failure.ts";
import { finding, type FindingCode } from "../../src/model/finding.ts";
import { describeFailure, describeFinding } from "../../src/ui/failure.ts";
import { fill } from "../../src/ui/fill.ts";
import { catalogueOf, type Language } from "../../src/ui/language.ts";
import { commandNames, flagNames, type Sentence } from "../../src/ui/messages/vocabulary.ts";
import { sampleFacts } from "./sample-facts.ts";

const languages = ["en", "zh"] as const;
const findingCodes = Object.keys(catalogueOf("en").findings) as FindingCode[];

const sentencesOf = (language: Language): [string, Sentence][] => {
  const { failures, findings } = catalogueOf(language);
  return [...Object.entries(failures), ...Object.entries(findings)];
};
const holesOf = ({ message, hint }: Sentence): string[] =>
  [...new Set([...`${message} ${hint}`.matchAll(/\{([a-zA-Z]+)\}/g)].map(([, name = ""]) => name))].sort();

describe.each(languages)("the sentences in %s", (language) => {
  it("are these for failures", async () => {
    const lines = failureCodes.map((code) => {
      const { side, message, hint } = describeFailure(new Failure(code, sampleFacts(code) as never), language);
      return `${code} (${side})\n  ${message.replaceAll("\n", "\n  ")}\n  → ${hint}\n`;
    });
    await expect(lines.join("\n")).toMatchFileSnapshot(`golden/${language}/failures.txt`);
  });

  it("are these for findings", async () => {
    const lines = findingCodes.map((code) => {
      const { message, remedy } = describeFinding(finding("error", code, sampleFacts(code) as never), language);
      return `${code}\n  ${message}\n${remedy === "" ? "" : `  → ${remedy}\n`}`;
    });
    await expect(lines.join("\n")).toMatchFileSnapshot(`golden/${language}/findings.txt`);
  });

  it("leave no hole open", () => {
    const open = sentencesOf(language).filter(([code, { message, hint }]) =>
      /\{[a-zA-Z]*\}/.test(fill(`${message} ${hint}`, sampleFacts(code))),
    );
    expect(open.map(([code]) => code)).toEqual([]);
  });

  it("say what to do next, but for those that only state a fact", () => {
    const silent = sentencesOf(language).filter(([code, { hint }]) => hint === "" && !factsOnly.has(code));
    expect(silent.map(([code]) => code)).toEqual([]);
  });

  it("name only commands and options that exist", () => {
    const words = sentencesOf(language).flatMap(([code, { message, hint }]) =>
      [...`${message} ${hint}`.matchAll(/higress-airgap ([a-z-]+)|(?<![\w-])--([a-z-]+)/g)].map(
        ([, command, flag]) => ({ code, command, flag }),
      ),
    );
    const wrong = words.filter(
      ({ command, flag }) =>
        (command !== undefined && !(commandNames as readonly string[]).includes(command)) ||
        (flag !== undefined && ![...flagNames, "help", "verbose"].includes(flag as never)),
    );
    expect(words.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });
});

/** Nothing is wrong, so there is nothing to type. */
const factsOnly = new Set([
  "registry.harbor",
  "registry.project-to-create",
  "registry.takes-no-writes",
  "registry.not-asked",
  "cluster.not-asked",
  "cluster.version",
  "plugin.repacked",
  "plugin.gateway-unknown",
  "plugin.not-checkable",
]);

describe("both languages", () => {
  it("use the same facts in every sentence", () => {
    const chinese = new Map(sentencesOf("zh"));
    const different = sentencesOf("en").filter(
      ([code, sentence]) => String(holesOf(sentence)) !== String(holesOf(chinese.get(code) ?? sentence)),
    );
    expect(different.map(([code]) => code)).toEqual([]);
  });
});

describe("the English sentences", () => {
  it.each([
    ["contractions", /\b\w+(?:n't|'re|'ve|'ll|'m)\b/],
    ["the word invalid", /invalid/i],
    ["politeness that takes room", /\bplease\b|\bsorry\b|\boops\b/i],
    ["exclamation marks", /!/],
  ])("have no %s", (_what, pattern) => {
    const wrong = sentencesOf("en").filter(([, { message, hint }]) => pattern.test(`${message} ${hint}`));
    expect(wrong.map(([code]) => code)).toEqual([]);
  });
});

describe("the Chinese sentences", () => {
  it("are Chinese, with Chinese punctuation between Chinese words", () => {
    const wrong = sentencesOf("zh").filter(
      ([, { message }]) => !/\p{Script=Han}/u.test(message) || /\p{Script=Han}[,;:!?]\p{Script=Han}/u.test(message),
    );
    expect(
      wrong
        .map(([code]) => code)
        .filter((code) => !["cluster.node-hint", "doctor.cause", "doctor.plugin-cause"].includes(code)),
    ).toEqual([]);
  });
});
