import { stat } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";
import { errorCode, writeFailure } from "./errors.ts";
import { fileSystemOf, refuseWithoutRoom } from "./file-system.ts";
import { Journal, readJournal, type Remembered } from "./journal.ts";
import { layParts, type Part } from "./parts.ts";
import { DiskOutput, openForWriting, partialOf } from "./disk-output.ts";
import { volumesPathOf } from "./volumes-document.ts";

export interface BundleOutputOptions {
  /** Writes `NAME.001`, `NAME.002`, … of this many bytes, and `NAME.volumes.json`. */
  readonly volumeSize?: number | undefined;
  readonly overwrite?: boolean | undefined;
  /** Writes from the first byte to the last without going back. @default what the file system needs */
  readonly inOrder?: boolean | undefined;
}

/**
 * A bundle on disk. Until it is whole it is `NAME.partial`, with a journal beside it; the same plan goes on from those,
 * another one starts over.
 */
export function bundleOutput(path: string, options: BundleOutputOptions = {}) {
  return {
    async create(size: number, planId: string): Promise<DiskOutput> {
      const plan = `${planId} ${size} ${options.volumeSize ?? "file"}`;
      const parts = layParts(path, size, options.volumeSize);
      const journalPath = `${path}.partial.journal`;
      const documentPath = options.volumeSize === undefined ? undefined : volumesPathOf(path);
      const fileSystem = await fileSystemOf(path);
      const remembered = await survivors(journalPath, plan, parts);
      if (remembered?.renaming !== true) await refuseExisting(finals(parts, documentPath), options.overwrite === true);
      const strict = options.inOrder ?? !fileSystem.sparse;
      const largestFile = Math.max(...parts.map((part) => part.size));
      const wanted = size - (remembered === undefined ? 0 : await allocated(parts));
      refuseWithoutRoom(fileSystem, { path, wanted, largestFile });
      try {
        const open = await openForWriting(parts, { keep: remembered !== undefined, sparse: !strict });
        const journal = await Journal.start(journalPath, plan, remembered);
        const order = strict ? "strict" : options.volumeSize === undefined ? "any" : "file";
        return new DiskOutput({ path, size, parts: open, journal, journalPath, order, remembered, documentPath });
      } catch (error) {
        throw writeFailure(error, path, size);
      }
    },
  };
}

/** What the journal remembers counts only while the files that it is about are there. */
async function survivors(journal: string, plan: string, parts: readonly Part[]): Promise<Remembered | undefined> {
  const remembered = await readJournal(journal, plan);
  if (remembered === undefined) return undefined;
  for (const { path } of parts) {
    const there = (await exists(partialOf(path))) || (remembered.renaming && (await exists(path)));
    if (!there) return undefined;
  }
  return remembered;
}

function finals(parts: readonly Part[], documentPath: string | undefined): readonly string[] {
  return [...parts.map(({ path }) => path), ...(documentPath === undefined ? [] : [documentPath])];
}

async function refuseExisting(paths: readonly string[], overwrite: boolean): Promise<void> {
  for (const path of paths) {
    const found = await stat(path).catch(absent);
    if (found?.isFile() === false) throw new Failure("FILE_UNWRITABLE", { path, reason: "EISDIR" });
    if (found !== undefined && !overwrite) throw new Failure("FILE_EXISTS", { path });
  }
}

async function allocated(parts: readonly Part[]): Promise<number> {
  const found = await Promise.all(parts.map(({ path }) => stat(partialOf(path)).catch(absent)));
  return found.reduce((sum, file) => sum + (file?.blocks ?? 0) * 512, 0);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(absent)) !== undefined;
}

function absent(error: unknown): undefined {
  if (errorCode(error) === "ENOENT") return undefined;
  throw error;
}
