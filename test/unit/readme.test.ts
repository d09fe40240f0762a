import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runApp } from "../../src/cli/app.ts";
import { commands } from "../../src/cli/commands/table.ts";
import { ExitCode } from "../../src/cli/exit-code.ts";
import { programCalls, shellLines } from "../rig/shell-lines.ts";

const calls = (text: string) => programCalls(shellLines(text));

const files = ["README.md", "README.zh-CN.md"] as const;
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
const textOf = (file: (typeof files)[number]) => texts.get(file) ?? "";

/** First column of the table whose head is `title`. */
const column = (text: string, title: string): readonly string[] => {
  const lines = text.split("\n");
  const rows = lines.slice(lines.findIndex((line) => line.startsWith(`| ${title} `)) + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith("|")),
    )
    .map((line) => (line.split("|")[1] ?? "").trim().replaceAll("`", ""));
};

describe.each([
  { file: "README.md", command: "command", code: "exit code" },
  { file: "README.zh-CN.md", command: "命令", code: "退出码" },
] as const)("$file", ({ file, command, code }) => {
  const text = textOf(file);

  // The parser accepts a command line when it goes on to run it, and asks for a context first.
  const accepted = (words: readonly string[]) =>
    runApp(words, "1.2.3", "en", () => {
      throw new Error("accepted");
    });

  it("shows the commands that people begin with", () => {
    expect(calls(text).map(([name]) => name)).toEqual(
      expect.arrayContaining(["build", "inspect", "verify", "install"]),
    );
  });

  it.each(calls(text).map((words) => words.join(" ")))("%s is a command line that the program takes", async (line) => {
    await expect(accepted(line.split(" "))).rejects.toThrow("accepted");
  });

  it("names every command there is, and no other", () => {
    expect([...column(text, command)].sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it("names every exit code", () => {
    expect(column(text, code)).toEqual(Object.values(ExitCode).map(String));
  });

  it("links and scripts lead to something", () => {
    const linked = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? "");
    const named = [...text.matchAll(/(?:^| |`)(\.\/scripts\/\S+\.sh|manifests\/\S+\.yaml|test\/[a-z0-9./]+)/gm)];
    const paths = [...linked, ...named.map((match) => match[1] ?? "")];
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });
});

it("both say the same commands", () => {
  expect(shellLines(textOf("README.zh-CN.md"))).toEqual(shellLines(textOf("README.md")));
});
