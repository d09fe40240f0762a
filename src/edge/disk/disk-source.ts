import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import type { RandomAccess } from "../../content/store.ts";
import { Failure } from "../../model/failure.ts";
import { BlockPool } from "../../std/block-pool.ts";
import { readFailure } from "./errors.ts";

export interface OpenPart extends Part {
  readonly handle: FileHandle;
}

/** A stretch whose sha256 the volumes' document has. */
export interface SummedBlock {
  readonly volume: string;
  /** Within the volume. */
  readonly at: number;
  /** Within all of them. */
  readonly offset: number;
  readonly size: number;
  readonly sha256: string;
}

const chunkSize = 256 * 1024;

/**
 * What is read at once from a slow medium. Eight blobs that go out side by side make each read a jump of the head: at 5 ms
 * a jump and 100 MB/s, reads of 256 KiB take three times as long as the bytes do, and these take half as long again.
 */
const slowChunkSize = 1024 * 1024;

/** Milliseconds for one chunk, from which on a medium is slow: 100 MB/s, or one jump. The page cache takes 0.1. */
export const slowRead = 2.5;

/** One file, or volumes as one address space. Opened with O_RDONLY; nothing here could change what it reads. */
export class DiskSource implements RandomAccess {
  readonly name: string;
  readonly size: number;
  readonly parts: readonly OpenPart[];
  /** Blocks of volumes that have their document beside them. */
  readonly blocks: readonly SummedBlock[];
  /** Of volumes: the bundle that their document says they are, by the sha256 of its bundle.json. */
  readonly bundle: string | undefined;
  readonly #blocks = new BlockPool(chunkSize, (size) => Buffer.allocUnsafeSlow(size));
  readonly #slowBlocks = new BlockPool(slowChunkSize, (size) => Buffer.allocUnsafeSlow(size));
  #isSlow = false;

  constructor(
    name: string,
    parts: readonly OpenPart[],
    { blocks = [], bundle }: { readonly blocks?: readonly SummedBlock[]; readonly bundle?: string } = {},
  ) {
    this.blocks = blocks;
    this.bundle = bundle;
    this.name = name;
    this.parts = parts;
    this.size = parts.reduce((sum, part) => sum + part.size, 0);
  }

  async read(offset: number, length: number): Promise<Buffer> {
    this.#refuseOutside(offset, length);
    const bytes = Buffer.allocUnsafe(length);
    await this.#fill(bytes, offset);
    return bytes;
  }

  fillNow(bytes: Buffer, offset: number): void {
    this.#refuseOutside(offset, bytes.byteLength);
    const [only] = this.parts;
    // Asked for each header of a bundle, which is one file for most.
    if (only !== undefined && this.parts.length === 1) {
      fillPartNow(only, bytes, offset);
      return;
    }
    let filled = 0;
    for (const { part, at, length } of piecesOf(this.parts, offset, bytes.byteLength)) {
      fillPartNow(part, bytes.subarray(filled, filled + length), at);
      filled += length;
    }
  }

  /** Two buffers take turns: one is filled while the other is used. */
  async *stream(offset: number, length: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    this.#refuseOutside(offset, length);
    const buffers = [this.#blocks.take(), this.#blocks.take()] as [Buffer, Buffer];
    const end = offset + length;
    const fill = async (at: number, turn: 0 | 1): Promise<Buffer> => {
      const buffer = (buffers[turn] = this.#grown(buffers[turn]));
      const bytes = buffer.subarray(0, Math.min(buffer.byteLength, end - at));
      const started = performance.now();
      await this.#fill(bytes, at);
      if (bytes.byteLength === chunkSize && performance.now() - started > slowRead) this.#isSlow = true;
      return bytes;
    };
    let next = length === 0 ? undefined : fill(offset, 0);
    try {
      for (let at = offset, turn: 0 | 1 = 1; next !== undefined; turn = turn === 0 ? 1 : 0) {
        signal?.throwIfAborted();
        const bytes = await next;
        at += bytes.byteLength;
        next = at < end ? fill(at, turn) : undefined;
        next?.catch(() => undefined);
        yield bytes;
      }
    } finally {
      // A read that is under way writes into our buffer and through the handle: both must outlive it.
      await next?.catch(() => undefined);
      for (const buffer of buffers) this.#poolOf(buffer).give(buffer);
    }
  }

  /** Once the medium has shown to be slow, a larger one; nobody may look at `buffer` any more. */
  #grown(buffer: Buffer): Buffer {
    if (!this.#isSlow || buffer.byteLength === slowChunkSize) return buffer;
    this.#blocks.give(buffer);
    return this.#slowBlocks.take();
  }

  #poolOf(buffer: Buffer): BlockPool {
    return buffer.byteLength === slowChunkSize ? this.#slowBlocks : this.#blocks;
  }

  partAt(offset: number): string {
    return basename(partHolding(this.parts, offset)?.path ?? this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.parts.map(({ handle }) => handle.close()));
  }

  async #fill(bytes: Buffer, offset: number): Promise<void> {
    let filled = 0;
    for (const { part, at, length } of piecesOf(this.parts, offset, bytes.byteLength)) {
      await readExactly(part, bytes.subarray(filled, filled + length), at);
      filled += length;
    }
  }

  #refuseOutside(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      const where = `${offset}+${length}`;
      throw new Failure("BUNDLE_MALFORMED", { path: this.name, where, why: `size ${this.size}` });
    }
  }
}

async function readExactly({ handle, path }: OpenPart, bytes: Buffer, at: number): Promise<void> {
  for (let filled = 0; filled < bytes.byteLength;) {
    const { bytesRead } = await handle
      .read(bytes, filled, bytes.byteLength - filled, at + filled)
      .catch((error: unknown) => {
        throw readFailure(error, path);
      });
    // The file was longer when it was opened: the stick was pulled, or somebody writes to it.
    if (bytesRead === 0) throw new Failure("FILE_UNREADABLE", { path, reason: "EOF" });
    filled += bytesRead;
  }
}

function fillPartNow({ handle, path }: OpenPart, bytes: Buffer, at: number): void {
  try {
    for (let filled = 0; filled < bytes.byteLength;) {
      const count = readSync(handle.fd, bytes, filled, bytes.byteLength - filled, at + filled);
      if (count === 0) throw new Failure("FILE_UNREADABLE", { path, reason: "EOF" });
      filled += count;
    }
  } catch (error) {
    throw error instanceof Failure ? error : readFailure(error, path);
  }
}

/** A stretch of an address space that one file holds. */
export interface Part {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

interface Piece<P extends Part> {
  readonly part: P;
  /** Within the part. */
  readonly at: number;
  readonly length: number;
}

/** Cuts a range where parts end. Parts follow each other without gaps and are all of one size but for the last. */
export function piecesOf<P extends Part>(parts: readonly P[], offset: number, length: number): readonly Piece<P>[] {
  const pieces: Piece<P>[] = [];
  const end = offset + length;
  for (let at = offset; at < end;) {
    const part = partHolding(parts, at);
    if (part === undefined) break;
    const piece = Math.min(end, part.offset + part.size) - at;
    pieces.push({ part, at: at - part.offset, length: piece });
    at += piece;
  }
  return pieces;
}

export function partHolding<P extends Part>(parts: readonly P[], offset: number): P | undefined {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const part = parts[middle];
    if (part === undefined) return undefined;
    if (offset < part.offset) high = middle;
    else if (offset >= part.offset + part.size) low = middle + 1;
    else return part;
  }
  return undefined;
}

/** `NAME.001` is the volume at 0, and `NAME.1000` the one at 999. */
export function volumeName(name: string, at: number): string {
  return `${name}.${String(at + 1).padStart(3, "0")}`;
}

const volumeNumber = /\.\d{3,4}$/;

export function isVolumeName(name: string): boolean {
  return volumeNumber.test(name);
}

/** What the bundle of a volume is called. Names that have no number stay as they are. */
export function withoutVolumeNumber(name: string): string {
  return name.replace(volumeNumber, "");
}

/** Parts of `volumeSize` bytes, the last one shorter; or one part that bears the name itself. */
export function layParts(path: string, size: number, volumeSize?: number): readonly Part[] {
  if (volumeSize === undefined) return [{ path, offset: 0, size }];
  return Array.from({ length: Math.ceil(size / volumeSize) }, (_, index) => ({
    path: volumeName(path, index),
    offset: index * volumeSize,
    size: Math.min(volumeSize, size - index * volumeSize),
  }));
}
