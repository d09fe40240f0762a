import { lstat, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { largestOnFat } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { printBytes } from "../../std/bytes.ts";
import { DiskOutput, openForWriting, partialOf } from "./disk-output.ts";
import { absent, writeFailure } from "./errors.ts";
import { Journal, readJournal, type Remembered } from "./journal.ts";
import { layParts, type DiskSource, type Part } from "./disk-source.ts";
import { claim, claimOf, type Claim } from "./claim.ts";
import { openSource } from "./open-source.ts";
import { sm3SumsPathOf } from "./sm3-sums.ts";
import { findVolumes, volumesPathOf } from "./volumes-document.ts";

export interface BundleOutputOptions {
  /** Writes `NAME.001`, `NAME.002`, … of this many bytes, and `NAME.volumes.json`. */
  readonly volumeSize?: number | undefined;
  readonly overwrite?: boolean | undefined;
  /** Writes from the first byte to the last without going back. @default what the file system needs */
  readonly inOrder?: boolean | undefined;
}

/**
 * A bundle on disk. Until it is whole it is `NAME.partial`, with a journal beside it; the same plan goes on from those,
 * another one starts over. `NAME.partial.claim` keeps every other process away meanwhile.
 */
export function bundleOutput(path: string, options: BundleOutputOptions = {}) {
  return {
    /**
     * What `create` would refuse of any bundle, before there is one: no folder, a folder in its place, a file that is
     * not to be replaced. `mayBeIt` is asked whether that file could be the very bundle, which is then no fault.
     */
    async refuse(mayBeIt: () => Promise<boolean>): Promise<void> {
      await fileSystemOf(path);
      const named = options.volumeSize === undefined ? path : volumesPathOf(path);
      await refuseExisting([named], true);
      if (options.overwrite === true || (await isPlain(`${path}.partial.journal`))) return;
      // Sums that were left behind would be held against this bundle.
      if (!(await isPlain(named))) return refuseExisting([sm3SumsPathOf(path)], false);
      if (!(await mayBeIt())) throw new Failure("FILE_EXISTS", { path: named });
    },
    /** What stands there already under its final names, and is not to be replaced, cut as this one would be. */
    async finished(size: number): Promise<DiskSource | undefined> {
      const parts = layParts(path, size, options.volumeSize);
      const whole = await Promise.all(parts.map((part) => isFileOf(part)));
      if (options.overwrite === true || whole.includes(false)) return undefined;
      const named = await findVolumes(path);
      return (named === undefined) === (options.volumeSize === undefined) ? openSource(path) : undefined;
    },
    async create(size: number, planId: string): Promise<DiskOutput> {
      const fileSystem = await fileSystemOf(path);
      const claimed = await claim(claimOf(path));
      try {
        return await createAlone({ path, size, planId, options, fileSystem, claim: claimed });
      } catch (error) {
        await claimed.release();
        throw writeFailure(error, path, size);
      }
    },
  };
}

interface Creation {
  readonly path: string;
  readonly size: number;
  readonly planId: string;
  readonly options: BundleOutputOptions;
  readonly fileSystem: FileSystem;
  readonly claim: Claim;
}

async function createAlone({ path, size, planId, options, fileSystem, claim }: Creation): Promise<DiskOutput> {
  const plan = `${planId} ${size} ${options.volumeSize ?? "file"}`;
  const parts = layParts(path, size, options.volumeSize);
  const journalPath = `${path}.partial.journal`;
  const documentPath = options.volumeSize === undefined ? undefined : volumesPathOf(path);
  const remembered = await survivors(journalPath, plan, parts);
  if (remembered?.renaming !== true) await refuseExisting(finals(parts, documentPath), options.overwrite === true);
  const strict = options.inOrder ?? !fileSystem.sparse;
  const largestFile = Math.max(...parts.map((part) => part.size));
  const wanted = size - (remembered === undefined ? 0 : await allocated(parts, remembered));
  refuseWithoutRoom(fileSystem, { path, wanted, largestFile });
  const open = await openForWriting(parts, { keep: remembered !== undefined, sparse: !strict });
  const journal = await Journal.start(journalPath, plan, remembered);
  const order = strict ? "strict" : options.volumeSize === undefined ? "any" : "file";
  return new DiskOutput({ path, size, parts: open, journal, journalPath, order, remembered, documentPath, claim });
}

async function isFileOf({ path, size }: Part): Promise<boolean> {
  const found = await stat(path).catch(absent(path));
  return found?.isFile() === true && found.size === size;
}

/** What the journal remembers counts only while the files that it is about are there. */
async function survivors(journal: string, plan: string, parts: readonly Part[]): Promise<Remembered | undefined> {
  const remembered = await readJournal(journal, plan);
  if (remembered === undefined) return undefined;
  for (const { path } of parts) {
    const there = (await isPlain(partialOf(path))) || (remembered.renaming && (await isPlain(path)));
    if (!there) return undefined;
  }
  return remembered;
}

function finals(parts: readonly Part[], documentPath: string | undefined): readonly string[] {
  return [...parts.map(({ path }) => path), ...(documentPath === undefined ? [] : [documentPath])];
}

async function refuseExisting(paths: readonly string[], overwrite: boolean): Promise<void> {
  for (const path of paths) {
    const found = await stat(path).catch(absent(path));
    if (found?.isDirectory() === true) throw new Failure("FILE_UNWRITABLE", { path, reason: "EISDIR" });
    if (found?.isFile() === false) throw new Failure("FILE_KIND", { path });
    if (found !== undefined && !overwrite) throw new Failure("FILE_EXISTS", { path });
  }
}

/** Bytes that are there already, of volumes also under the names that they were getting. */
async function allocated(parts: readonly Part[], { renaming }: Remembered): Promise<number> {
  const found = await Promise.all(
    parts.map(async ({ path }) => {
      const partial = await stat(partialOf(path)).catch(absent(path));
      return partial ?? (renaming ? await stat(path).catch(absent(path)) : undefined);
    }),
  );
  return found.reduce((sum, file) => sum + (file?.blocks ?? 0) * 512, 0);
}

async function isPlain(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent(path)))?.isFile() === true;
}

/** https://man7.org/linux/man-pages/man2/statfs.2.html: those that fill a gap with zeros instead of leaving a hole. */
const withoutHoles: Readonly<Record<number, string>> = {
  0x4d44: "vfat",
  0x2011bab0: "exfat",
  0x65735546: "fuse",
};

interface FileSystem {
  readonly name: string;
  readonly sparse: boolean;
  readonly free: number;
}

/** Asks the directory that `path` will be in. @throws Failure FILE_UNWRITABLE when there is none */
async function fileSystemOf(path: string): Promise<FileSystem> {
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

interface Room {
  readonly path: string;
  /** Bytes still to be written. */
  readonly wanted: number;
  readonly largestFile: number;
}

/** Refuses before the first byte what the file system could not hold at the last. @throws Failure DISK_FULL, FILE_UNWRITABLE */
function refuseWithoutRoom({ name, free }: FileSystem, { path, wanted, largestFile }: Room): void {
  if (name === "vfat" && largestFile > largestOnFat) {
    const reason = `vfat: ${largestFile} B > ${largestOnFat} B`;
    throw new Failure("FILE_UNWRITABLE", { path, reason });
  }
  if (wanted > free) throw new Failure("DISK_FULL", { path, wanted: printBytes(wanted), free: printBytes(free) });
}
