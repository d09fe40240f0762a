import { tarPadding } from "../../std/ustar.ts";
import type { RandomWriter } from "../../content/random-access.ts";
import type { StreamHash } from "../../content/stream-hash.ts";
import type { StreamSegment } from "./layout.ts";

/**
 * Each batch wakes a thread that hashes and one that writes. Where it was measured (two virtual processors) a wake-up
 * costs as much as copying 100 KiB; half of this was slower, twice of it a little faster for twice the memory.
 */
const batchSize = 512 * 1024;

export interface BatchOptions {
  readonly write: RandomWriter["write"];
  /** Gets every byte, and gives the memory that bytes are collected in. */
  readonly hash: StreamHash;
  /** Called when the first so many bytes of the entry are written, without a gap. */
  readonly wrote: (bytes: number) => void;
  readonly outstanding: number;
}

/**
 * Collects the chunks of one entry into batches, which are hashed and written one behind the other. Chunks are copied: a source may
 * reuse its buffer as soon as the next chunk is asked for, and a copy within the cache costs less than small writes.
 */
export class Batches {
  readonly #segment: StreamSegment;
  readonly #options: BatchOptions;
  readonly #free: Buffer[] = [];
  readonly #writes: Promise<void>[] = [];
  #batch: Buffer;
  #filled = 0;
  /** Where in the entry the batch begins. */
  #at: number;

  constructor(segment: StreamSegment, start: number, options: BatchOptions) {
    this.#segment = segment;
    this.#options = options;
    this.#batch = options.hash.allocate(Math.min(batchSize, Math.max(1, segment.entry.size - start)));
    this.#at = start;
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength;) {
      if (this.#filled === this.#batch.byteLength) await this.#flush();
      const part = chunk.subarray(taken, taken + this.#batch.byteLength - this.#filled);
      // Not `set`: into memory that threads share, V8 copies twice as slowly with it.
      this.#batch.fill(part, this.#filled, this.#filled + part.byteLength);
      this.#filled += part.byteLength;
      taken += part.byteLength;
    }
  }

  /** Writes the rest and the padding; resolves when all of the entry is written. */
  async end(): Promise<void> {
    this.#write(this.#batch.subarray(0, this.#filled), [Buffer.alloc(tarPadding(this.#segment.entry.size))]);
    await Promise.all(this.#writes);
  }

  /** Waits for what is on its way to the disk, whatever becomes of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#writes);
  }

  async #flush(): Promise<void> {
    this.#write(this.#batch, []);
    if (this.#writes.length > this.#options.outstanding) await this.#writes.shift();
    this.#batch = this.#free.pop() ?? this.#options.hash.allocate(batchSize);
    this.#filled = 0;
  }

  #write(batch: Buffer, padding: readonly Buffer[]): void {
    const { offset, entry } = this.#segment;
    const at = this.#at;
    const end = at + batch.byteLength;
    const before = this.#writes.at(-1);
    // The header goes with the first byte, the padding with the last: a segment is written without a gap.
    const header = at === 0 ? [entry.header] : [];
    const writing = this.#options.write(at === 0 ? offset : entry.offset + at, [...header, batch, ...padding]);
    const written = Promise.all([before, writing, this.#options.hash.update(batch)]).then(() => {
      if (batch.byteLength === batchSize && padding.length === 0) this.#free.push(batch);
      this.#options.wrote(end);
    });
    // Whoever awaits it sees the error; until then it must not count as unhandled.
    written.catch(() => undefined);
    this.#writes.push(written);
    this.#at = end;
  }
}
