import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { printBytes } from "../../std/bytes.ts";
import { Failure } from "../../model/failure.ts";
import { writeFailure } from "./errors.ts";

/** https://man7.org/linux/man-pages/man2/statfs.2.html: those that fill a gap with zeros instead of leaving a hole. */
const withoutHoles: Readonly<Record<number, string>> = {
  0x4d44: "vfat",
  0x2011bab0: "exfat",
  0x65735546: "fuse",
};

/** The largest file on FAT32 is one byte less than 4 GiB. */
const vfatLimit = 4 * 1024 ** 3 - 1;

export interface FileSystem {
  readonly name: string;
  readonly sparse: boolean;
  readonly free: number;
}

/** Asks the directory that `path` will be in. @throws Failure FILE_UNWRITABLE when there is none */
export async function fileSystemOf(path: string): Promise<FileSystem> {
  const directory = dirname(path);
  try {
    if (!(await stat(directory)).isDirectory()) throw new Failure("FILE_UNWRITABLE", { path, reason: "ENOTDIR" });
    const { type, bavail, bsize } = await statfs(directory);
    const name = withoutHoles[type];
    return { name: name ?? "", sparse: name === undefined, free: bavail * bsize };
  } catch (error) {
    throw writeFailure(error, directory);
  }
}

export interface Room {
  readonly path: string;
  /** Bytes still to be written. */
  readonly wanted: number;
  readonly largestFile: number;
}

/** Refuses before the first byte what the file system could not hold at the last. @throws Failure DISK_FULL, FILE_UNWRITABLE */
export function refuseWithoutRoom({ name, free }: FileSystem, { path, wanted, largestFile }: Room): void {
  if (name === "vfat" && largestFile > vfatLimit) {
    const reason = `vfat: ${printBytes(largestFile)} > ${printBytes(vfatLimit)}`;
    throw new Failure("FILE_UNWRITABLE", { path, reason });
  }
  if (wanted > free) throw new Failure("DISK_FULL", { path, wanted: printBytes(wanted), free: printBytes(free) });
}
