import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { CliResult } from "./cli.ts";

export interface Shown {
  /** As a user types it. */
  readonly command: string;
  readonly result: CliResult;
  /** Text that differs from run to run, and what stands for it. */
  readonly steady?: readonly (readonly [RegExp, string])[];
}

/** Said when ten seconds pass, which they do on a busy machine. */
const lasts = /^ {2}(\d+\/\d+ · )?(\d+m)?\d+s( · .*)?$/;

/** A command and all that it said, as they stand on a screen; the exit code where it is not 0. */
export function screenOf({ command, result, steady = [] }: Shown): string {
  const { stdout, stderr, exitCode } = result;
  const said = [stderr, stdout].map((text) => text.trimEnd()).filter((text) => text !== "");
  const code = exitCode === 0 ? [] : ["$ echo $?", String(exitCode)];
  const text = [`$ ${command}`, ...said, ...code].join("\n");
  const lasting = text
    .split("\n")
    .filter((line) => !lasts.test(line))
    .join("\n");
  return steady.reduce((known, [pattern, stands]) => known.replaceAll(pattern, stands), lasting);
}

/** Things that end in an order of their own, which says nothing. */
const unordered = /^ {2}\S+ · \d|^ {2}\S+(: \d+ of \d+ ready|：\d+ 个副本中 \d+ 个就绪)$/;
/** How long a thing took shows in how often it was waited for. */
const unready =
  /^ {2}\S+(: (0 of [1-9]\d* ready|.* ready; of those before, .*)|：([1-9]\d* 个副本中 0 个就绪|.*；旧副本还剩.*))$/;

/** The screen as it would be on every run: what comes in any order in one, what is said while waiting not at all. */
export function steadyOrder(screen: string): string {
  const lines: string[] = [];
  let run: string[] = [];
  for (const line of [...screen.split("\n").filter((each) => !unready.test(each)), undefined]) {
    if (line !== undefined && unordered.test(line)) run.push(line);
    else {
      lines.push(...run.sort(), ...(line === undefined ? [] : [line]));
      run = [];
    }
  }
  return lines.join("\n");
}

const block = (name: string): RegExp => new RegExp(`(<!-- ${name}[^>]*-->\\n\\n\`\`\`text\\n)[^]*?(\n\`\`\`)`);

/**
 * Holds the block of a page below the comment `<!-- name … -->` to what was really said. `vitest -u` writes it.
 */
export async function expectOnPage(page: string, name: string, screen: string): Promise<void> {
  const text = await readFile(page, "utf8");
  expect(text).toMatch(block(name));
  const now = text.replace(block(name), (_all, before: string, after: string) => `${before}${screen}${after}`);
  await expect(now).toMatchFileSnapshot(`${process.cwd()}/${page}`);
}
