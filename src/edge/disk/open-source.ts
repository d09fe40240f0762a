import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";
import { DiskSource, type OpenPart } from "./disk-source.ts";
import { readFailure } from "./errors.ts";

/** Opens a bundle read-only. @throws Failure FILE_MISSING, FILE_UNREADABLE */
export async function openSource(path: string): Promise<DiskSource> {
  return new DiskSource(path, [await openPart(path, 0)]);
}

export async function openPart(path: string, offset: number): Promise<OpenPart> {
  try {
    const handle = await open(path, constants.O_RDONLY);
    const found = await handle.stat();
    if (found.isFile()) return { path, offset, size: found.size, handle };
    await handle.close();
  } catch (error) {
    throw readFailure(error, path);
  }
  throw new Failure("FILE_UNREADABLE", { path, reason: "EISDIR" });
}
