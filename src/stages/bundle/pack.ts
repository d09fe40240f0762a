import type { RandomWriter } from "../../content/store.ts";
import { hashInline, type StartHash, type StreamHash } from "../../content/stream-hash.ts";
import { contentMismatch } from "../../content/verified.ts";
import type { BundleDocument } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { silent, type Report } from "../../model/event.ts";
import { isFailure, type Failure } from "../../model/failure.ts";
import { tarPadding } from "../../std/ustar.ts";
import { isFinished } from "./finished.ts";
import { InOrder, queue, runPool } from "./order.ts";
import { planBundle, type BundlePlan, type Segment, type StreamSegment } from "./plan.ts";
import type { BundleOutput, OpenOutput, PackInput } from "./ports.ts";
import { ItemProgress } from "./progress.ts";

interface PackOptions {
  /** How many blobs move at once. @default 8: a LAN is full at 4, latency wants more */
  readonly concurrency?: number | undefined;
  /** How many of them may come from one host. @default concurrency */
  readonly perHost?: number | undefined;
  /** @default on this thread */
  readonly startHash?: StartHash | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
}

export interface PackResult {
  readonly size: number;
  /** `false`: an earlier run had ended, and all of it was there. */
  readonly isWritten: boolean;
  /** Bytes that an interrupted run had fetched, and this one did not. */
  readonly bytesResumed: number;
  readonly document: BundleDocument;
  /** sha256 of bundle.json. */
  readonly bundle: string;
}

/** In memory per blob: two batches while the disk writes, or 4 MiB while a blob waits for its turn in file order. */
const outstanding = { anyOrder: 2, inOrder: 8 } as const;

/**
 * Builds the bundle in a single pass: each byte is fetched, hashed and written to its final place once. On failure or
 * abort the output keeps what is verified, and the same call goes on from there.
 * @throws Failure CONTENT_MISMATCH for bytes that are not what the lock says; DISK_FULL, FILE_* of the output
 */
export async function pack(input: PackInput, output: BundleOutput, options: PackOptions = {}): Promise<PackResult> {
  const plan = planBundle(input);
  const { size, document, bundle } = plan;
  if (await isFinished(plan, input, output, options.signal))
    return { size, document, bundle, isWritten: false, bytesResumed: 0 };
  const out = await output.create(plan.size, plan.id);
  try {
    const moved = await write(plan, out, options);
    await out.commit({ bundle });
    return { size, document, bundle, isWritten: true, ...moved };
  } catch (error) {
    await out.abandon();
    throw error;
  }
}

async function write(plan: BundlePlan, out: OpenOutput, options: PackOptions) {
  const { concurrency = 8, perHost = concurrency, startHash, signal, report = silent } = options;
  const streams = plan.segments.filter((segment) => segment.kind === "stream");
  const left = streams.filter(({ entry }) => !out.survived.complete.has(entry.name));
  const bytesResumed = total(streams, (segment) => survivedOf(segment, out));
  const progress = new ItemProgress(streams, report);
  if (bytesResumed > 0) report({ type: "note", text: "resumed", facts: { bytes: bytesResumed } });
  progress.start(
    left,
    total(left, ({ entry }) => entry.size - (out.survived.partial.get(entry.name) ?? 0)),
  );
  const turn = out.order === "strict" ? new InOrder(out) : undefined;
  const pending = new Set(left);
  const run = async (segment: Segment, stop: AbortSignal): Promise<void> => {
    const write = turn?.writer(stop) ?? ((offset, chunks) => out.write(offset, chunks));
    if (segment.kind === "bytes") return write(segment.offset, segment.chunks);
    const survived = survivedOf(segment, out);
    if (!pending.has(segment)) {
      await turn?.skip(segment.offset, segment.size, stop);
    } else {
      if (survived > 0) await turn?.skip(segment.offset, segment.entry.offset - segment.offset + survived, stop);
      const onBytes = (bytes: number): void => progress.moved(segment, bytes);
      const limit = turn === undefined ? outstanding.anyOrder : outstanding.inOrder;
      await transfer(segment, out, { write, outstanding: limit, startHash, signal: stop, onBytes });
    }
    progress.done(segment);
  };
  const task = (segment: Segment) => ({
    host: segment.kind === "bytes" ? "" : segment.entry.host,
    run: (stop: AbortSignal) => run(segment, stop),
  });
  await runPool(queue(plan.segments, out.order).map(task), { concurrency, perHost, signal });
  return { bytesResumed };
}

function total<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((sum, value) => sum + of(value), 0);
}

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
function survivedOf({ entry }: StreamSegment, out: OpenOutput): number {
  if (out.survived.complete.has(entry.name)) return entry.size;
  return Math.min(out.survived.partial.get(entry.name) ?? 0, entry.size);
}

/**
 * Fetches one entry to its place, hashing as the bytes pass, and says so to the journal only when size and digest are
 * right. A prefix that survived is hashed again and not fetched again.
 */
async function transfer(segment: StreamSegment, out: OpenOutput, options: EntryTransferOptions): Promise<void> {
  const { entry } = segment;
  const { signal, onBytes, write, outstanding } = options;
  const start = survivedOf(segment, out);
  const startHash = start === 0 ? (options.startHash ?? hashInline) : hashInline;
  using hash = startHash(entry.size);
  if (start > 0) await rehash(out.read(entry.offset, start), hash, signal);
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

async function rehash(prefix: AsyncIterable<Uint8Array>, hash: StreamHash, signal: AbortSignal): Promise<void> {
  for await (const chunk of prefix) {
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
