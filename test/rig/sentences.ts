import { basename } from "node:path";
import { cli, program, type CliResult } from "./cli.ts";

export interface Told {
  readonly exitCode: number | undefined;
  readonly en: string;
  readonly zh: string;
}

/** What a command that ends badly tells its reader, in both languages; what differs from run to run is named. */
export async function told(args: readonly string[], cwd: string): Promise<Told> {
  const first = await cli([...args, "--lang", "en"], { cwd });
  const second = await cli([...args, "--lang", "zh"], { cwd });
  return { exitCode: first.exitCode, en: plain(first, cwd), zh: plain(second, cwd) };
}

/** As it says itself how it was started: where Node is on PATH, by that name alone. */
const [command, ...script] = program;
const starts = [command, basename(command)].map((first) => [first, ...script].join(" "));

/** Failure and errors only: progress and notes are other tests' business. */
function plain({ stderr }: CliResult, cwd: string): string {
  const lines = stderr.split("\n");
  const from = lines.findIndex((line) => /^\s*(✗|error|错误)/.test(line));
  const said = lines.slice(Math.max(0, from)).join("\n");
  return (
    starts
      .reduce((text, start) => text.replaceAll(start, "<program>"), said)
      .replaceAll(cwd, "<folder>")
      .replace(/127\.0\.0\.1:\d+/g, "<registry>")
      .replace(/[0-9a-f]{64}/g, "<hex>")
      // Requests go out side by side: which one of the sample's names is refused first is chance.
      .replace(/(GET|HEAD) higress\/(?!none)[\w./-]+:[\w.]*\w/g, "$1 <name>")
      .replace(/offset \d+/g, "offset <n>")
      .trim()
  );
}
