import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explanations } from "../../src/ui/explain.ts";
import { en } from "../../src/ui/messages/en.ts";

const textOf = (folder: string, kind: RegExp, without: RegExp): string =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => kind.test(name) && !without.test(name))
    .map((name) => readFileSync(`${folder}/${name}`, "utf8"))
    .join("\n");

/** Where codes are declared and worded; a code that is only there is documented and never seen. */
const made = textOf("src", /\.ts$/, /^(ui\/messages\/|model\/(failure|finding)\.ts$)/);
/**
 * Tests of the sentences name every code, so they show nothing; nor do lines that want a code absent or leave it out, and
 * those that make it themselves. A pattern writes its dots with a backslash.
 */
const tested = textOf("test", /\.(test|contract)\.ts$/, /^messages\//)
  .split("\n")
  .filter((line) => !/\.not\.|!==/.test(line))
  .join("\n")
  .replaceAll(/new Failure\(\s*"\w+"|finding\(\s*"\w+",\s*"[\w.-]+"/g, "")
  .replaceAll("\\.", ".");

describe("every code that `explain` documents", () => {
  const codes = explanations("en").map(({ code }) => code);
  const whole = (code: string): RegExp => new RegExp(`(?<![\\w.-])${code.replaceAll(".", "\\.")}(?![\\w-])`);

  it("is some code, so that a green result means something", () => {
    expect(codes.length).toBeGreaterThan(100);
  });

  it("is made somewhere in the program", () => {
    expect(codes.filter((code) => !made.includes(`"${code}"`))).toEqual([]);
  });

  it("is what some test of behaviour waits for", () => {
    expect(codes.filter((code) => !whole(code).test(tested))).toEqual([]);
  });
});

describe("every note", () => {
  /**
   * What of a sentence stands between its holes, in runs of three words, or up to a colon: a test of a command's output
   * repeats one.
   */
  const runsOf = (sentence: string): readonly string[] =>
    sentence.split(/\{[^}]*\}|\n/).flatMap((piece) => {
      const words = piece.trim().split(" ");
      const label = /[\w-]:$/.test(piece.trim()) ? [piece.trim()] : [];
      return [...label, ...words.slice(2).map((_, at) => words.slice(at, at + 3).join(" "))];
    });
  const isSeen = ([note, sentence]: readonly [string, string]): boolean =>
    tested.includes(`"${note}"`) || runsOf(sentence).some((run) => tested.includes(run));

  it("is what some test of behaviour waits for, by its name or by its words", () => {
    expect(
      Object.entries(en.notes)
        .filter((note) => !isSeen(note))
        .map(([note]) => note),
    ).toEqual([]);
  });
});
