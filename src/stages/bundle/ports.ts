import type { RandomAccess, RandomWriter } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import type { Lock } from "../../model/lock.ts";

/** The bytes from `offset` on, not verified; a chunk is valid until the next is asked for. */
export type OpenAt = (offset: number, signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** A file that is small enough to be in memory: charts, CRDs, manifests, the installer script. */
export interface SmallFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode?: number | undefined;
}

/** A file that is streamed: what stands under `bin/`. */
export interface LargeFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly mode?: number | undefined;
  readonly open: OpenAt;
}

/** A blob that several items may need. */
export interface PlannedBlob {
  readonly descriptor: Descriptor;
  /** Where it comes from; `perHost` bounds how many of one host move at once. */
  readonly host: string;
  /** The items that need it, for events. */
  readonly names: readonly string[];
  readonly open: OpenAt;
}

/** What a bundle is made of. */
export interface PackInput {
  readonly lock: Lock;
  /** Every blob of every item in lock order, each digest once, manifests too. */
  readonly blobs: readonly PlannedBlob[];
  readonly files: readonly SmallFile[];
  readonly largeFiles: readonly LargeFile[];
  readonly tool: { readonly name: string; readonly version: string };
  /** Signs SHA256SUMS. Signatures must all have one length, or an interrupted build could not go on. */
  readonly sign?: ((sums: Uint8Array) => Uint8Array) | undefined;
  /** Whether a signature is one that `sign` could have made: no two of them are equal. */
  readonly isSigned?: ((sums: Uint8Array, signature: Uint8Array) => boolean) | undefined;
  /** Leaves out blobs that the bundle `base` has. */
  readonly delta?: { readonly base: string; readonly absent: ReadonlySet<Digest> } | undefined;
}

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
