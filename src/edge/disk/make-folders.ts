import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode, writeFailure } from "./errors.ts";

/**
 * As `mkdir` with `recursive: true` and the first folder that was made, which never ends below `/proc`: where a folder that
 * is there does not have what is made in it (ENOENT), Node asks for both again without end, on a thread that no signal stops.
 * @throws Failure FILE_UNWRITABLE, DISK_FULL
 */
export async function makeFolders(path: string, mode?: number): Promise<string | undefined> {
  try {
    return await make(path, mode);
  } catch (error) {
    throw writeFailure(error, path);
  }
}

async function make(path: string, mode: number | undefined): Promise<string | undefined> {
  const above = dirname(path);
  try {
    return await makeOne(path, mode);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || above === path) throw error;
  }
  const first = await make(above, mode);
  const made = await makeOne(path, mode);
  return first ?? made;
}

/** `undefined` where there is one. */
async function makeOne(path: string, mode: number | undefined): Promise<string | undefined> {
  try {
    await mkdir(path, { mode });
    return path;
  } catch (error) {
    const isThere = errorCode(error) === "EEXIST" && (await stat(path)).isDirectory();
    if (!isThere) throw error;
    return undefined;
  }
}
