import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { RandomAccess } from "../../content/random-access.ts";
import { isFailure } from "../../model/failure.ts";
import { DiskSource } from "./disk-source.ts";
import { hashWorker } from "./hash-worker.ts";

export interface Range {
  readonly offset: number;
  readonly size: number;
}

export interface HashOptions {
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default as many as there are processors, at most 4; 0 for none */
  readonly workers?: number | undefined;
}

/** Less than this is hashed before a worker has started. */
const worthWorkers = 16 * 1024 ** 2;

/**
 * sha256 of each range, in hex and in the given order. A range that cannot be read has the error's code instead
 * (`EIO`): one bad sector must not hide what else is damaged.
 */
export async function hashRanges(
  source: RandomAccess,
  ranges: readonly Range[],
  options: HashOptions = {},
): Promise<readonly string[]> {
  const { onBytes = () => undefined, signal } = options;
  const { workers = Math.min(availableParallelism(), 4) } = options;
  const hashes = new Array<string | undefined>(ranges.length).fill(undefined);
  const bytes = ranges.reduce((sum, { size }) => sum + size, 0);
  if (workers > 0 && source instanceof DiskSource && bytes >= worthWorkers)
    await hashInWorkers(source, ranges, { hashes, onBytes, signal, workers });
  // Whatever the workers left: all of it where threads cannot be started.
  for (const [index, range] of ranges.entries()) hashes[index] ??= await hashHere(source, range, { onBytes, signal });
  return hashes.map((hash) => hash ?? "unreadable");
}

interface Work {
  readonly hashes: (string | undefined)[];
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
  readonly workers: number;
}

interface Message {
  readonly bytes: number;
  readonly hashes: readonly (readonly [number, string])[];
}

/** Workers take the next range from a shared cursor; the largest go first, so that none is left over at the end. */
async function hashInWorkers(source: DiskSource, ranges: readonly Range[], work: Work): Promise<void> {
  const { signal } = work;
  signal?.throwIfAborted();
  const state = new Int32Array(new SharedArrayBuffer(8));
  const size = (index: number): number => ranges[index]?.size ?? 0;
  const order = [...ranges.keys()].sort((a, b) => size(b) - size(a));
  const parts = source.parts.map(({ handle, offset, size: length }) => ({ fd: handle.fd, offset, size: length }));
  const stop = (): void => void Atomics.store(state, 1, 1);
  signal?.addEventListener("abort", stop, { once: true });
  const workerData = { parts, ranges, order, shared: state.buffer };
  // They must all have ended before anybody closes the files that they read from.
  await Promise.all(Array.from({ length: work.workers }, () => runWorker(workerData, work)));
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
}

/** Resolves when the worker has ended, in whatever way: what it did not hash is hashed without it. */
function runWorker(workerData: unknown, { hashes, onBytes }: Work): Promise<void> {
  return new Promise((resolve) => {
    try {
      const worker = new Worker(hashWorker, { eval: true, workerData, env: {}, execArgv: [] });
      worker.on("message", (message: Message) => {
        onBytes(message.bytes);
        for (const [index, hash] of message.hashes) hashes[index] = hash;
      });
      worker.on("error", () => undefined);
      worker.on("exit", () => resolve());
    } catch {
      resolve();
    }
  });
}

async function hashHere(
  source: RandomAccess,
  { offset, size }: Range,
  { onBytes, signal }: Pick<Work, "onBytes" | "signal">,
): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of source.stream(offset, size, signal)) {
      hash.update(chunk);
      onBytes(chunk.byteLength);
    }
  } catch (error) {
    if (isFailure(error, "FILE_UNREADABLE")) return error.facts.reason;
    throw error;
  }
  return hash.digest("hex");
}
