import type { RandomAccess, RandomWriter } from "../../content/store.ts";

/** Where a bundle is written: a file, or volumes. Nothing bears the final name before `commit`. */
export interface BundleOutput {
  /**
   * Makes room for `size` bytes, or goes on with what an interrupted run of the same plan left.
   * @throws Failure DISK_FULL, FILE_BUSY, FILE_EXISTS, FILE_UNWRITABLE, all before anything is written
   */
  create(size: number, planId: string): Promise<OpenOutput>;
  /** What stands there under the final name already, has this size, and is not to be replaced. */
  finished(size: number): Promise<RandomAccess | undefined>;
}

/** What survived an interruption, by entry name: whole contents, and how long the prefix of an unfinished one is. */
export interface Survived {
  readonly complete: ReadonlySet<string>;
  readonly partial: ReadonlyMap<string, number>;
}

export interface OpenOutput extends RandomWriter {
  /**
   * `any`: write wherever, whenever. `file`: any place may be written, but what comes early in the file should come
   * early (volumes are hashed as they fill). `strict`: every write goes on where the last one ended, because the file
   * system keeps no holes (FAT) and would fill every gap with zeros.
   */
  readonly order: "any" | "file" | "strict";
  readonly survived: Survived;
  /** Yields bytes that were written before; a chunk is valid until the next is asked for. */
  read(offset: number, length: number): AsyncIterable<Uint8Array>;
  /**
   * Says that the first `bytes` of an entry are written, and with `complete` that they were verified. It reaches the
   * journal after the bytes themselves reached the disk, in batches.
   */
  wrote(entry: string, bytes: number, complete: boolean): void;
  /** Says that what was written of an entry is worth nothing. */
  forget(entry: string): void;
  /** Makes it last and gives it its name. `bundle` is the sha256 of bundle.json, by which volumes know each other. */
  commit(facts: { readonly bundle: string }): Promise<void>;
  /** Closes, and leaves what the next run can go on from. */
  abandon(): Promise<void>;
}
