import { describe, expect, it } from "vitest";
import { catalogueOf } from "../../src/ui/language.ts";
import { exportWords } from "../../src/ui/messages/export-words.ts";
import { statusWords } from "../../src/ui/messages/status-words.ts";
import { reportWords } from "../../src/ui/messages/report-words.ts";

/** Every text of a table of words, by its path. */
function texts(value: unknown, path = ""): readonly (readonly [string, string])[] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([key, inner]) => texts(inner, `${path}/${key}`));
}

const holes = (text: string): string => String([...text.matchAll(/\{[a-zA-Z]+\}/g)].map(([hole]) => hole).sort());
const holesOf = (words: unknown) => texts(words).map(([path, text]) => `${path} ${holes(text)}`);

describe("words outside the catalogues of codes", () => {
  it.each([
    ["the report of an install", reportWords],
    ["rendered manifests", exportWords],
    ["a look at what stands there", statusWords],
    ["notes", { en: catalogueOf("en").notes, zh: catalogueOf("zh").notes }],
  ])("of %s have the same holes in both languages", (_of, { en, zh }) => {
    expect(holesOf(en).join()).toContain("{");
    expect(holesOf(zh)).toEqual(holesOf(en));
  });
});

describe("commands of helm in a remedy", () => {
  it.each(["en", "zh"] as const)("say the namespace in %s: without it helm looks in another one", (language) => {
    const all = texts(catalogueOf(language)).flatMap(([, text]) => [...text.matchAll(commandOfHelm)]);
    const named = all.map(([command]) => command);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((command) => !command.startsWith("helm -n {namespace} "))).toEqual([]);
  });
});

const commandOfHelm = /helm (-n \S+ )?(rollback|uninstall|history|status|get)\b/g;
