import { constants } from "node:fs";
import { copyFile, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFailure } from "../../edge/disk/errors.ts";
import { replaceFile, whereToWrite } from "../../edge/files/replace.ts";
import { Failure } from "../../model/failure.ts";
import { isFileName } from "../../model/names.ts";
import type { Context } from "../context.ts";

export interface NewFile {
  readonly name: string;
  readonly text: string | Uint8Array;
  /** @default what the umask leaves */
  readonly mode?: number | undefined;
  /** A person completes it: what is there stays, and what would be written now comes beside it under this name. */
  readonly beside?: string | undefined;
}

interface NewFilesOptions {
  readonly overwrite: boolean;
  /** What is replaced is kept under its name and the time. */
  readonly keep?: boolean | undefined;
  readonly context: Context;
}

/**
 * Writes files that belong together: all of them, or none when one of them is there with other content.
 * @throws Failure FILE_EXISTS that names all of those
 */
export async function writeNewFiles(
  folder: string,
  files: readonly NewFile[],
  { overwrite, keep = false, context }: NewFilesOptions,
): Promise<void> {
  // Names are made of those of charts and namespaces: the last look before one becomes a path.
  const outside = files.find(({ name }) => !name.split("/").every(isFileName));
  if (outside !== undefined) throw new Failure("FILE_UNWRITABLE", { path: outside.name.slice(0, 300), reason: "name" });
  const isOther = async ({ name, text }: NewFile): Promise<boolean> =>
    (await contentOf(join(folder, name), text))?.equals(Buffer.from(text)) === false;
  const others = new Set(await filtered(files, isOther));
  const taken = [...others].filter(({ beside }) => beside === undefined).map(({ name }) => join(folder, name));
  if (taken.length > 0 && !overwrite) throw new Failure("FILE_EXISTS", { path: taken.join(", ") });
  const { report } = context.reporter;
  for (const file of files) {
    const { text, mode, beside } = file;
    const named = join(folder, file.name);
    const path = others.has(file) && beside !== undefined ? join(folder, beside) : named;
    if (others.has(file) && keep && path === named) {
      const kept = `${path}.${context
        .now()
        .toISOString()
        .replaceAll(/[-:]|\.\d+/g, "")}`;
      await copyFile(path, kept, constants.COPYFILE_EXCL).catch((cause: unknown) => {
        throw writeFailure(cause, kept, 0);
      });
      report({ type: "note", text: "kept-before", facts: { path, kept } });
    }
    await replaceFile(path, text, { mode });
    report({ type: "note", text: "saved", facts: { path } });
    if (path !== named) report({ type: "note", text: "kept-yours", facts: { path: named, beside: path } });
  }
}

async function filtered<T>(items: readonly T[], keeps: (item: T) => Promise<boolean>): Promise<readonly T[]> {
  const kept = await Promise.all(items.map(keeps));
  return items.filter((_, at) => kept[at] === true);
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
