import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "../../model/failure.ts";

export interface ReplaceOptions {
  /** Of the file. @default what the umask leaves */
  readonly mode?: number | undefined;
  /** Of folders that have to be made. */
  readonly folderMode?: number | undefined;
}

/**
 * Writes beside, flushes and renames: a power cut leaves the file as it was or as it shall be, never a half.
 * @throws Failure FILE_UNWRITABLE
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  options: ReplaceOptions = {},
): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await mkdir(dirname(path), {
      recursive: true,
      ...(options.folderMode === undefined ? {} : { mode: options.folderMode }),
    });
    await writeFlushed(partial, content, options.mode);
    await rename(partial, path);
  } catch (cause) {
    // A path through a file that is no folder cannot be cleared either; the first reason is the one to be told.
    await rm(partial, { force: true }).catch(() => undefined);
    throw new Failure("FILE_UNWRITABLE", { path, reason: (cause as NodeJS.ErrnoException).code ?? "" }, { cause });
  }
}

async function writeFlushed(path: string, content: string | Uint8Array, mode: number | undefined): Promise<void> {
  const file = await open(path, "w", mode);
  try {
    // `open` reduces the mode by the umask, and leaves the mode of a file that was left over as it was.
    if (mode !== undefined) await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
