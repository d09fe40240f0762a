import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runApp } from "../../src/cli/app.ts";
import { programCalls, shellLines } from "../rig/shell-lines.ts";

/** Written by people: what scripts/docs.mjs writes shows shapes of command lines, not command lines. */
const written = readdirSync("docs/en").filter(
  (name) => !["commands.md", "codes.md", "troubleshooting.md"].includes(name),
);
const read = (language: string, name: string): string => readFileSync(`docs/${language}/${name}`, "utf8");

/** Commands in a sentence, with a value behind each option; one that is only named (`build --since`) is no command line. */
const inSentences = (page: string): readonly string[] =>
  [...page.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/`((?:higress-airgap|\.\/install\.sh) [^`]+)`/g)].map(
    ([, call = ""]) => call,
  );

// The parser accepts a command line when it goes on to run it, and asks for a context first.
const accepted = (words: readonly string[]) =>
  runApp(words, "1.2.3", "en", () => {
    throw new Error("accepted");
  });

describe("pages that people read", () => {
  it("show command lines, so that a green result means something", () => {
    const calls = written
      .map((name) => read("en", name))
      .flatMap((page) => [...shellLines(page), ...inSentences(page)]);
    expect(programCalls(calls).length).toBeGreaterThan(20);
  });

  it.each(["en", "zh"])("show only command lines that the program takes, in %s", async (language) => {
    const wrong: string[] = [];
    for (const name of written) {
      const page = read(language, name);
      for (const words of programCalls([...shellLines(page), ...inSentences(page)])) {
        if (words[0] === "--version") continue;
        const said = await accepted(words).then(
          () => "help",
          (error: unknown) => (error instanceof Error ? error.message : ""),
        );
        if (said !== "accepted") wrong.push(`${name}: ${words.join(" ")}: ${said}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it.each(written)("say the same command lines in both languages: %s", (name) => {
    expect(shellLines(read("zh", name))).toEqual(shellLines(read("en", name)));
  });
});
