import { constants } from "node:fs";
import { copyFile, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFailure } from "../../edge/disk/errors.ts";
import { replaceFiles, whereToWrite } from "../../edge/files/replace.ts";
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
 * Writes files that belong together: all of them, or none when one of them is there with other content or cannot be
 * written.
 * @throws Failure FILE_EXISTS that names all of the first kind, FILE_UNWRITABLE, DISK_FULL
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
  const placed = files.map((file) => {
    const named = join(folder, file.name);
    const isBeside = others.has(file) && file.beside !== undefined;
    return { ...file, named, path: isBeside ? join(folder, file.beside ?? "") : named, isOther: others.has(file) };
  });
  const replaced = keep ? placed.filter(({ isOther, path, named }) => isOther && path === named) : [];
  const copies = replaced.map(({ path }) => ({ path, kept: `${path}.${timeInName(context.now())}` }));
  const copied: string[] = [];
  try {
    for (const { path, kept } of copies) {
      await copyOf(path, kept);
      copied.push(kept);
    }
    await replaceFiles(placed.map(({ path, text, mode }) => ({ path, content: text, mode })));
  } catch (failure) {
    for (const kept of copied) await rm(kept, { force: true });
    throw failure;
  }
  for (const facts of copies) report({ type: "note", text: "kept-before", facts });
  for (const { path, named } of placed) {
    report({ type: "note", text: "saved", facts: { path } });
    if (path !== named) report({ type: "note", text: "kept-yours", facts: { path: named, beside: path } });
  }
}

function timeInName(now: Date): string {
  return now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

async function copyOf(path: string, kept: string): Promise<void> {
  await copyFile(path, kept, constants.COPYFILE_EXCL).catch((cause: unknown) => {
    throw writeFailure(cause, kept, 0);
  });
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
