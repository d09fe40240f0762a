import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, whereToWrite } from "../../edge/files/replace.ts";
import { Failure } from "../../model/failure.ts";
import { isFileName } from "../../model/names.ts";
import type { Context } from "../context.ts";

export interface NewFile {
  readonly name: string;
  readonly text: string | Uint8Array;
  /** @default what the umask leaves */
  readonly mode?: number | undefined;
}

/**
 * Writes files that belong together: all of them, or none when one of them is there with other content.
 * @throws Failure FILE_EXISTS
 */
export async function writeNewFiles(
  folder: string,
  files: readonly NewFile[],
  options: { readonly overwrite: boolean; readonly context: Context },
): Promise<void> {
  // Names are made of those of charts and namespaces: the last look before one becomes a path.
  const outside = files.find(({ name }) => !name.split("/").every(isFileName));
  if (outside !== undefined) throw new Failure("FILE_UNWRITABLE", { path: outside.name.slice(0, 300), reason: "name" });
  const there = await Promise.all(files.map(({ name, text }) => contentOf(join(folder, name), text)));
  for (const [at, { name, text }] of files.entries())
    if (there[at]?.equals(Buffer.from(text)) === false && !options.overwrite)
      throw new Failure("FILE_EXISTS", { path: join(folder, name) });
  for (const { name, text, mode } of files) {
    const path = join(folder, name);
    await replaceFile(path, text, { mode });
    options.context.reporter.report({ type: "note", text: "saved", facts: { path } });
  }
}

/**
 * Nobody answers questions for a file that would then be refused. Without questions the content decides, at the end:
 * what is the same may be written again.
 * @throws Failure FILE_EXISTS
 */
export async function refuseBeforeQuestions(
  path: string,
  { overwrite, context }: { readonly overwrite: boolean; readonly context: Context },
): Promise<void> {
  if (context.ask === undefined || overwrite) return;
  if ((await stat(path).catch(() => undefined))?.isFile() === true) throw new Failure("FILE_EXISTS", { path });
}

/** Of a file that may be what shall be written; a pipe or a terminal is written to, and never waited for. */
async function contentOf(path: string, text: string | Uint8Array): Promise<Buffer | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || (await whereToWrite(path)) === "stream") return undefined;
  if (found.size !== Buffer.byteLength(text)) return Buffer.alloc(0);
  return readFile(path).catch(() => undefined);
}

/** What a person answers, or `fallback` where nobody can be asked or nothing was typed. */
export async function answer(context: Context, question: string, fallback: string): Promise<string> {
  const typed = (await context.ask?.(`${question} [${fallback}]: `))?.trim() ?? "";
  return typed === "" ? fallback : typed;
}
