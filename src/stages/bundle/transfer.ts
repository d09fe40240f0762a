import type { RandomWriter } from "../../content/store.ts";
import { hashInline, type StartHash, type StreamHash } from "../../content/stream-hash.ts";
import { contentMismatch } from "../../content/verified.ts";
import type { Digest } from "../../model/digest.ts";
import { isFailure, type Failure } from "../../model/failure.ts";
import { tarPadding } from "../../std/ustar.ts";
import type { StreamSegment } from "./layout.ts";
import type { OpenOutput } from "./ports.ts";

interface EntryTransferOptions {
  /** Like `OpenOutput.write`, or waiting for its turn in file order. */
  readonly write: OpenOutput["write"];
  /** How many batches may wait for the disk, or for their turn, before the source is held. */
  readonly outstanding: number;
  /** @default on this thread */
  readonly startHash?: StartHash | undefined;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** How much of an entry need not be fetched again. */
export function survivedOf({ entry }: StreamSegment, out: OpenOutput): number {
  if (out.survived.complete.has(entry.name)) return entry.size;
  return Math.min(out.survived.partial.get(entry.name) ?? 0, entry.size);
}

/**
 * Fetches one entry to its place, hashing as the bytes pass, and says so to the journal only when size and digest are
 * right. A prefix that survived is hashed again and not fetched again.
 */
export async function transfer(segment: StreamSegment, out: OpenOutput, options: EntryTransferOptions): Promise<void> {
  const { entry } = segment;
  const { signal, onBytes, write, outstanding } = options;
  const start = survivedOf(segment, out);
  const startHash = start === 0 ? (options.startHash ?? hashInline) : hashInline;
  using hash = startHash(entry.size);
  await rehash(segment, out, { start, hash, signal });
  const wrote = (bytes: number): void => out.wrote(entry.name, bytes, false);
  const batches = new Batches(segment, start, { hash, write, wrote, outstanding });
  let received = start;
  try {
    for await (const chunk of entry.open(start, signal)) {
      signal.throwIfAborted();
      received += chunk.byteLength;
      if (received > entry.size) throw mismatch(segment, received);
      await batches.add(chunk);
      onBytes(chunk.byteLength);
    }
    if (received !== entry.size) throw mismatch(segment, received);
    await batches.end();
    const got = await hash.digest();
    if (got !== entry.sha256) throw mismatch(segment, received, got);
  } catch (error) {
    await batches.settle();
    // Too short may be a cut connection, and what came is still a prefix. Bytes that are wrong are not gone on from.
    if (isFailure(error, "CONTENT_MISMATCH") && received >= entry.size) out.forget(entry.name);
    throw error;
  }
  out.wrote(entry.name, entry.size, true);
}

interface Prefix {
  readonly start: number;
  readonly hash: StreamHash;
  readonly signal: AbortSignal;
}

async function rehash({ entry }: StreamSegment, out: OpenOutput, { start, hash, signal }: Prefix): Promise<void> {
  if (start === 0) return;
  for await (const chunk of out.read(entry.offset, start)) {
    signal.throwIfAborted();
    await hash.update(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }
}

function mismatch({ entry }: StreamSegment, size: number, sha256?: string): Failure {
  const want = { mediaType: "", digest: `sha256:${entry.sha256}` as Digest, size: entry.size };
  return contentMismatch(want, sha256 === undefined ? { size } : { size, digest: `sha256:${sha256}` }, "source");
}

/**
 * Each batch wakes a thread that hashes and one that writes. Where it was measured (two virtual processors) a wake-up
 * costs as much as copying 100 KiB; half of this was slower, twice of it a little faster for twice the memory.
 */
const batchSize = 512 * 1024;

interface BatchOptions {
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
class Batches {
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

type Write = RandomWriter["write"];

/**
 * Lets writes through in file order only. Each waits for its turn with its batch in memory, so what is looked ahead is
 * bounded by the batches that a transfer may have outstanding.
 */
export class InOrder {
  readonly #out: Pick<RandomWriter, "write">;
  readonly #waiting = new Map<number, { readonly go: () => void; readonly stop: (reason: unknown) => void }>();
  readonly #watched = new WeakSet<AbortSignal>();
  #at = 0;

  constructor(out: Pick<RandomWriter, "write">) {
    this.#out = out;
  }

  /** Writes whose waiting ends when `signal` says so. */
  writer(signal: AbortSignal): Write {
    return async (offset, chunks) => {
      await this.#turn(offset, signal);
      await this.#out.write(offset, chunks);
      this.#passed(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
    };
  }

  /** Goes past what is written already. */
  async skip(offset: number, length: number, signal: AbortSignal): Promise<void> {
    await this.#turn(offset, signal);
    this.#passed(length);
  }

  async #turn(offset: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#at === offset) return;
    this.#watch(signal);
    await new Promise<void>((go, stop) => this.#waiting.set(offset, { go, stop }));
  }

  /** One listener for all that wait: there may be hundreds of them. */
  #watch(signal: AbortSignal): void {
    if (this.#watched.has(signal)) return;
    this.#watched.add(signal);
    const stopAll = (): void => {
      for (const { stop } of this.#waiting.values()) stop(signal.reason);
    };
    signal.addEventListener("abort", stopAll, { once: true });
  }

  #passed(bytes: number): void {
    this.#at += bytes;
    const next = this.#waiting.get(this.#at);
    this.#waiting.delete(this.#at);
    next?.go();
  }
}
