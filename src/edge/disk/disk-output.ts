import { constants } from "node:fs";
import { open, rename, rm, stat, unlink, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { RandomWriter } from "../../content/store.ts";
import { DiskSource, piecesOf, type OpenPart, type Part } from "./disk-source.ts";
import { writeFailure } from "./errors.ts";
import type { Journal, JournalLine, Remembered } from "./journal.ts";
import type { Claim } from "./claim.ts";
import { removeSm3Sums } from "./sm3-sums.ts";
import { VolumeSums, writeVolumes } from "./volumes-document.ts";

/** Data is synced and journaled after so much of it, or so long: what a power cut can cost. */
const syncBytes = 64 * 1024 ** 2;
const syncMilliseconds = 1000;

export interface DiskOutputFacts {
  readonly path: string;
  readonly size: number;
  readonly parts: readonly OpenPart[];
  readonly journal: Journal;
  readonly journalPath: string;
  readonly order: "any" | "file" | "strict";
  readonly remembered: Remembered | undefined;
  /** Path of the document beside the volumes; absent for a bundle in one file. */
  readonly documentPath?: string | undefined;
  /** Held until all is closed. */
  readonly claim: Claim;
}

export class DiskOutput implements RandomWriter {
  readonly size: number;
  readonly order: "any" | "file" | "strict";
  readonly survived: { readonly complete: ReadonlySet<string>; readonly partial: ReadonlyMap<string, number> };
  readonly #facts: DiskOutputFacts;
  readonly #written: DiskSource;
  readonly #sums: VolumeSums | undefined;
  readonly #unsaid = new Map<string, { entry: string; bytes: number; complete?: true }>();
  #unsynced = 0;
  #syncedAt = performance.now();
  #syncing: Promise<void> | undefined;
  /** Why bytes that were written are lost. Linux says it once: the next sync of the same file succeeds. */
  #lost: { readonly error: unknown } | undefined;

  constructor(facts: DiskOutputFacts) {
    this.size = facts.size;
    this.order = facts.order;
    this.survived = facts.remembered ?? { complete: new Set(), partial: new Map() };
    this.#facts = facts;
    this.#written = new DiskSource(facts.path, facts.parts);
    if (facts.documentPath !== undefined)
      this.#sums = new VolumeSums(this.#written, { inOrder: facts.order === "strict" });
  }

  async write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    this.#refuseLost();
    const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    let rest = chunks;
    for (const { part, at, length: count } of piecesOf(this.#facts.parts, offset, length)) {
      const [here, after] = split(rest, count);
      await writeAll(part, here, at);
      rest = after;
    }
    this.#unsynced += length;
    if (this.#sums !== undefined) announce(this.#sums, offset, chunks);
  }

  read(offset: number, length: number): AsyncIterable<Uint8Array> {
    return this.#written.stream(offset, length);
  }

  wrote(entry: string, bytes: number, complete: boolean): void {
    this.#unsaid.set(entry, { entry, bytes, ...(complete ? { complete: true as const } : {}) });
    const due = this.#unsynced >= syncBytes || performance.now() - this.#syncedAt >= syncMilliseconds;
    // The next write or flush throws the error; what was not journaled is only fetched again.
    if (due && this.#syncing === undefined) this.#sync().catch(() => undefined);
  }

  forget(entry: string): void {
    this.#unsaid.set(entry, { entry, bytes: 0 });
  }

  async flush(): Promise<void> {
    await this.#syncLast([]);
  }

  async commit({ bundle }: { readonly bundle: string }): Promise<void> {
    const { documentPath, parts, journalPath, path, claim } = this.#facts;
    try {
      const document = await this.#sums?.document(bundle);
      await this.#syncLast([{ renaming: true }]);
      await removeSm3Sums(path);
      for (const part of parts) await rename(partialOf(part.path), part.path);
      // Renamed last, so that volumes which have their document beside them are whole.
      if (document !== undefined && documentPath !== undefined) {
        await writeVolumes(partialOf(documentPath), document);
        await rename(partialOf(documentPath), documentPath);
      }
      await syncDirectory(dirname(path));
      await this.#close();
      await unlink(journalPath);
      await claim.release();
    } catch (error) {
      throw writeFailure(error, path);
    }
  }

  async abandon(): Promise<void> {
    // The disk itself may be why the build is given up: a second error must not hide the first.
    await this.flush().catch(() => undefined);
    await this.#sums?.settle();
    await this.#close().catch(() => undefined);
    await this.#facts.claim.release().catch(() => undefined);
  }

  async #syncLast(more: readonly JournalLine[]): Promise<void> {
    await this.#syncing;
    this.#refuseLost();
    await this.#sync(more);
  }

  /** `more` is true of what is written by now, and is journaled with it. */
  #sync(more: readonly JournalLine[] = []): Promise<void> {
    const run = async (): Promise<void> => {
      const lines = [...this.#unsaid.values(), ...more];
      this.#unsaid.clear();
      this.#unsynced = 0;
      await Promise.all(this.#facts.parts.map(({ handle }) => handle.datasync()));
      await this.#facts.journal.append(lines);
    };
    const lose = (error: unknown): never => {
      this.#lost ??= { error };
      throw error;
    };
    this.#syncing = run()
      .catch(lose)
      .finally(() => {
        this.#syncedAt = performance.now();
        this.#syncing = undefined;
      });
    return this.#syncing;
  }

  #refuseLost(): void {
    if (this.#lost !== undefined) throw writeFailure(this.#lost.error, this.#facts.path);
  }

  async #close(): Promise<void> {
    await Promise.all([this.#written[Symbol.asyncDispose](), this.#facts.journal.close()]);
  }
}

function announce(sums: VolumeSums, offset: number, chunks: readonly Uint8Array[]): void {
  let at = offset;
  for (const chunk of chunks) {
    sums.wrote(at, chunk);
    at += chunk.byteLength;
  }
}

export function partialOf(path: string): string {
  return `${path}.partial`;
}

/** Opens `NAME.partial` of every part: as it was left, or empty and as long as it will be. */
export async function openForWriting(
  parts: readonly Part[],
  { keep, sparse }: { readonly keep: boolean; readonly sparse: boolean },
): Promise<readonly OpenPart[]> {
  const opened: OpenPart[] = [];
  for (const part of parts) {
    const partial = partialOf(part.path);
    // The last run was stopped while it renamed: this part has its final name already.
    if (keep && (await stat(partial).catch(() => undefined)) === undefined) await rename(part.path, partial);
    const handle = await openPartial(partial, keep);
    opened.push({ ...part, handle });
    if (sparse) await handle.truncate(part.size);
  }
  return opened;
}

/** Ours alone: no link that stands there is followed, so that nothing else is written into. */
async function openPartial(path: string, keep: boolean): Promise<FileHandle> {
  if (keep) return open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  await rm(path, { force: true });
  return open(path, "wx+", 0o644);
}

async function writeAll({ handle, path }: OpenPart, chunks: readonly Uint8Array[], at: number): Promise<void> {
  let rest: readonly Uint8Array[] = chunks.filter((chunk) => chunk.byteLength > 0);
  for (let offset = at; rest.length > 0;) {
    const { bytesWritten } = await handle.writev([...rest], offset).catch((error: unknown) => {
      throw writeFailure(
        error,
        path,
        chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
      );
    });
    offset += bytesWritten;
    // A nearly full disk writes short before it says ENOSPC.
    rest = split(rest, bytesWritten)[1];
  }
}

function split(chunks: readonly Uint8Array[], at: number): readonly [readonly Uint8Array[], readonly Uint8Array[]] {
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  let left = at;
  for (const chunk of chunks) {
    const taken = Math.min(left, chunk.byteLength);
    if (taken > 0) before.push(chunk.subarray(0, taken));
    if (taken < chunk.byteLength) after.push(chunk.subarray(taken));
    left -= taken;
  }
  return [before, after];
}

async function syncDirectory(path: string): Promise<void> {
  const handle: FileHandle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}
