import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, realpath, rename, rm, rmdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { systemClock } from "../../std/clock.ts";
import { errorCode, writeFailure } from "../disk/errors.ts";
import { makeFolders } from "../disk/make-folders.ts";
import { otherEnd } from "./read-text.ts";

export interface ReplaceOptions {
  /** Of the file. @default what the umask leaves */
  readonly mode?: number | undefined;
  /** Of folders that have to be made. */
  readonly folderMode?: number | undefined;
}

interface CreateOptions {
  /** @default what the umask leaves */
  readonly mode?: number | undefined;
  /** Whether it must outlive a power cut. @default true */
  readonly flush?: boolean;
}

/** One of the files that are written together. */
export interface FileToReplace extends ReplaceOptions {
  readonly path: string;
  readonly content: string | Uint8Array;
}

/**
 * Writes beside, flushes and renames: a power cut leaves the file as it was or as it shall be, never a half. Only a
 * file is ever replaced: a link stays and what it names is written, and into a device or a pipe is written as it is.
 * @throws Failure FILE_UNWRITABLE, DISK_FULL
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  options: ReplaceOptions = {},
): Promise<void> {
  await replaceFiles([{ ...options, path, content }]);
}

/**
 * The same of several: all of them lie beside before the first one is replaced, so that a full disk, or a place where
 * one of them may not be, leaves them all as they were, and no folder that was made for them.
 * @throws Failure FILE_UNWRITABLE, DISK_FULL
 */
export async function replaceFiles(files: readonly FileToReplace[]): Promise<void> {
  const made: string[] = [];
  const beside: { readonly partial: string; readonly place: string; readonly file: FileToReplace }[] = [];
  try {
    const streams: FileToReplace[] = [];
    for (const file of files) {
      const place = await whereToWrite(file.path);
      if (place === "stream") streams.push(file);
      // Of two who write the same file the later one wins, and neither writes into what the other one has begun.
      else beside.push({ file, place, partial: `${place}.${randomUUID().slice(0, 8)}.partial` });
    }
    for (const { file, place, partial } of beside) await told(file, () => writePartial(file, { place, partial }, made));
    for (const { path, content } of streams) await writeInto(path, content);
    for (const { file, place, partial } of beside) {
      await told(file, () => rename(partial, place));
      await removeAbandoned(place);
    }
  } catch (failure) {
    // A path through a file that is no folder cannot be cleared either; the first reason is the one to be told.
    for (const { partial } of beside) await rm(partial, { force: true }).catch(() => undefined);
    for (const folder of made.toReversed()) await rmdir(folder).catch(() => undefined);
    throw failure;
  }
}

async function writePartial(
  { content, mode, folderMode }: FileToReplace,
  { place, partial }: { readonly place: string; readonly partial: string },
  made: string[],
): Promise<void> {
  const folder = dirname(place);
  const first = await makeFolders(folder, folderMode);
  if (first !== undefined) made.push(...foldersBetween(first, folder));
  // A rename onto a folder would fail after others had been replaced.
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory() === true) throw Object.assign(new Error(place), { code: "EISDIR", syscall: "open" });
  await createFile(partial, content, { mode });
}

/** From the first one that was made down to the last. */
function foldersBetween(first: string, last: string): readonly string[] {
  return last === first || dirname(last) === last ? [last] : [...foldersBetween(first, dirname(last)), last];
}

async function told({ path, content }: FileToReplace, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (cause) {
    throw writeFailure(cause, path, Buffer.byteLength(content));
  }
}

/** Milliseconds: nobody writes one small file for so long. */
const abandoned = 10 * 60_000;

/** What a process that was killed in the middle has left beside `place`; it may hold values. */
async function removeAbandoned(place: string): Promise<void> {
  const folder = dirname(place);
  const prefix = `${basename(place)}.`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{8}\.partial$/.test(name.slice(prefix.length))) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true && found.mtimeMs < systemClock.now() - abandoned)
      await rm(path, { force: true }).catch(() => undefined);
  }
}

/** What the shell has opened for us is written through its handle, also where it is a file. `/dev/shm` is a disk as any. */
const openedForUs = /^\/(?:dev\/(?:std(?:in|out|err)|fd\/\d+)|proc\/[^/]+\/(?:task\/\d+\/)?fd\/\d+)$/;

/** Where `path` leads: to a file that is or shall be, or to something that takes bytes as they come. */
export async function whereToWrite(path: string): Promise<string> {
  if (openedForUs.test(path)) return "stream";
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const link = await lstat(path).catch(() => undefined);
    // A link to nothing: whoever made it knows what shall be there.
    if (link !== undefined) throw new Failure("FILE_UNWRITABLE", { path, reason: "ENOENT" });
    return path;
  }
  return found.isFile() || found.isDirectory() ? await realpath(path) : "stream";
}

async function writeInto(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await using file = await openStream(path);
    await file.writeFile(content);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("FILE_UNWRITABLE", { path, reason: errorCode(cause) }, { cause });
  }
}

/**
 * Opens what takes bytes as they come.
 * @throws Failure FILE_KIND for a pipe that nobody reads: opening it would wait, in a thread that no signal ends
 */
export async function openStream(path: string): Promise<FileHandle> {
  // Held until the other one is open, so that who reads does not see an end in between.
  const asked = await openForWriting(path);
  try {
    return await open(path, "a");
  } finally {
    await asked.close();
  }
}

/** A shell may start the reader of a pipe after it has started us. */
async function openForWriting(path: string): Promise<FileHandle> {
  const until = systemClock.now() + otherEnd.patience;
  for (;;) {
    try {
      return await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (cause) {
      if (errorCode(cause) !== "ENXIO") throw cause;
      if (systemClock.now() > until) throw new Failure("FILE_KIND", { path }, { cause });
      await systemClock.sleep(otherEnd.look);
    }
  }
}

/**
 * Makes a file that is not there yet. What fails leaves none, since an empty one would stand in the way of the next try; a kill in
 * the middle may leave a part, under the very name that nobody else then takes.
 * @throws what the system says, EEXIST for one that is there
 */
export async function createFile(
  path: string,
  content: string | Uint8Array,
  { mode, flush = true }: CreateOptions = {},
) {
  const file = await open(path, "wx", mode);
  try {
    // `open` reduces the mode by the umask.
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(content);
    if (flush) await file.sync();
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}
