import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Extent, RandomAccess } from "../../content/store.ts";
import { isFailure } from "../../model/failure.ts";
import { DiskSource, slowRead } from "./disk-source.ts";

interface HashedRange extends Extent {
  /** Also wanted: the sum of each stretch of so many bytes in it. */
  readonly block?: number | undefined;
}

export interface Hashed {
  /** The sum, or the code of the error that reading gave (`EIO`). */
  readonly hex: string;
  readonly blocks: readonly string[];
}

export interface HashOptions {
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default as many as there are processors, at most 4; 0 for none */
  readonly workers?: number | undefined;
  /** Of range and blocks. @default sha256 */
  readonly algorithm?: HashAlgorithm | undefined;
}

type HashAlgorithm = "sha256" | "sm3";

/** Less than this is hashed before a worker has started. */
const worthWorkers = 16 * 1024 ** 2;

/**
 * The sum of each range, in hex and in the given order. A range that cannot be read has the error's code instead
 * (`EIO`): one bad sector must not hide what else is damaged.
 */
export async function hashRanges(
  source: RandomAccess,
  ranges: readonly HashedRange[],
  options: HashOptions = {},
): Promise<readonly string[]> {
  return (await hashWithBlocks(source, ranges, options)).map(({ hex }) => hex);
}

/** Like `hashRanges`, with the blocks of each range: both sums from one read. */
export async function hashWithBlocks(
  source: RandomAccess,
  ranges: readonly HashedRange[],
  options: HashOptions = {},
): Promise<readonly Hashed[]> {
  const { onBytes = () => undefined, signal, algorithm = "sha256" } = options;
  const { workers = Math.min(availableParallelism(), 4) } = options;
  const hashes = new Map<number, Hashed>();
  const bytes = ranges.reduce((sum, { size }) => sum + size, 0);
  if (workers > 0 && source instanceof DiskSource && bytes >= worthWorkers)
    await hashInWorkers(source, ranges, {
      hashes,
      onBytes,
      signal,
      algorithm,
      workers: Math.min(workers, ranges.length),
    });
  const all: Hashed[] = [];
  // Whatever the workers left is hashed here: all of it where threads cannot be started.
  for (const [index, range] of ranges.entries())
    all.push(hashes.get(index) ?? (await hashHere(source, range, { onBytes, signal, algorithm })));
  return all;
}

interface Work {
  readonly hashes: Map<number, Hashed>;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal | undefined;
  readonly workers: number;
  readonly algorithm: HashAlgorithm;
}

interface Message {
  readonly bytes: number;
  readonly hashes: readonly (readonly [number, Hashed])[];
}

/** Workers take the next range from a shared cursor; the largest go first, so that none is left over at the end. */
async function hashInWorkers(source: DiskSource, ranges: readonly HashedRange[], work: Work): Promise<void> {
  const { signal } = work;
  signal?.throwIfAborted();
  const state = new Int32Array(new SharedArrayBuffer(8));
  const size = (index: number): number => ranges[index]?.size ?? 0;
  const order = [...ranges.keys()].sort((a, b) => size(b) - size(a));
  const parts = source.parts.map(({ handle, offset, size: length }) => ({ fd: handle.fd, offset, size: length }));
  const plain = ranges.map(({ offset, size: length, block }) => ({ offset, size: length, block }));
  const stop = (): void => void Atomics.store(state, 1, 1);
  signal?.addEventListener("abort", stop, { once: true });
  const workerData = { parts, ranges: plain, order, shared: state.buffer, slowRead, algorithm: work.algorithm };
  // All workers must have ended before anybody closes the files that they read from.
  await Promise.all(Array.from({ length: work.workers }, () => runWorker(workerData, work)));
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
}

/** Resolves when the worker has ended, in whatever way: what it did not hash is hashed without it. */
async function runWorker(workerData: unknown, { hashes, onBytes }: Work): Promise<void> {
  // Whoever opens a bundle loads this file, and few of them hash it.
  const { Worker } = await import("node:worker_threads");
  await new Promise<void>((resolve) => {
    try {
      const worker = new Worker(hashWorker, { eval: true, workerData, env: {}, execArgv: [] });
      worker.on("message", (message: Message) => {
        onBytes(message.bytes);
        for (const [index, hash] of message.hashes) hashes.set(index, hash);
      });
      worker.on("error", () => undefined);
      worker.on("exit", () => resolve());
    } catch {
      resolve();
    }
  });
}

/** On this thread, by way of the source's own stream. */
async function hashHere(
  source: RandomAccess,
  { offset, size, block = Infinity }: HashedRange,
  { onBytes, signal, algorithm }: Pick<Work, "onBytes" | "signal" | "algorithm">,
): Promise<Hashed> {
  const hash = createHash(algorithm);
  const blocks: string[] = [];
  try {
    for (let at = 0; at < size; at += Math.min(block, size - at)) {
      const inner = createHash(algorithm);
      for await (const chunk of source.stream(offset + at, Math.min(block, size - at), signal)) {
        hash.update(chunk);
        if (block !== Infinity) inner.update(chunk);
        onBytes(chunk.byteLength);
      }
      if (block !== Infinity) blocks.push(inner.digest("hex"));
    }
  } catch (error) {
    if (isFailure(error, "FILE_UNREADABLE")) return { hex: error.facts.reason, blocks: [] };
    throw error;
  }
  return { hex: hash.digest("hex"), blocks };
}

/**
 * The program of a hashing worker, as text: the tool is shipped as one file, in which there is no second file to start.
 * It reads whole ranges by itself, synchronously into one buffer that it keeps. That is as fast as `openssl dgst`;
 * streams cost half of it, and handing chunks between threads costs the rest (docs/facts/node.md#buffers-are-reused).
 * Threads that take turns make a slow medium jump: from one it reads eight times as much at once.
 * File descriptors are the process's, so it needs only their numbers.
 */
const hashWorker = `"use strict";
const { parentPort, workerData } = require("node:worker_threads");
const { readSync } = require("node:fs");
const { createHash } = require("node:crypto");
const { parts, ranges, order, shared, slowRead, algorithm } = workerData;
const [cursor, stop] = [0, 1];
const state = new Int32Array(shared);
const small = 256 * 1024;
let buffer = Buffer.allocUnsafeSlow(small);
let grown;
let bytes = 0;
let hashes = [];

function say() {
  parentPort.postMessage({ bytes, hashes });
  bytes = 0;
  hashes = [];
}

function read(offset, length) {
  const part = parts.find((each) => offset < each.offset + each.size);
  const wanted = Math.min(length, buffer.length, part.offset + part.size - offset);
  const started = performance.now();
  const count = readSync(part.fd, buffer, 0, wanted, offset - part.offset);
  const isSlow = count === small && buffer.length === small && performance.now() - started > slowRead;
  if (isSlow) grown = Buffer.allocUnsafeSlow(8 * small);
  if (count === 0) throw Object.assign(new Error("EOF"), { code: "EOF" });
  return count;
}

function hash({ offset, size, block }) {
  const whole = createHash(algorithm);
  const blocks = [];
  let inner = block && createHash(algorithm);
  for (let at = 0; at < size; ) {
    if (Atomics.load(state, stop) === 1) return undefined;
    const count = read(offset + at, Math.min(size - at, block ? block - (at % block) : size));
    whole.update(buffer.subarray(0, count));
    if (inner) inner.update(buffer.subarray(0, count));
    at += count;
    if (grown) [buffer, grown] = [grown, undefined];
    if (inner && (at % block === 0 || at === size)) {
      blocks.push(inner.digest("hex"));
      inner = createHash(algorithm);
    }
    bytes += count;
    if (bytes >= 4 * 1024 * 1024) say();
  }
  return { hex: whole.digest("hex"), blocks };
}

for (let next = Atomics.add(state, cursor, 1); next < order.length; next = Atomics.add(state, cursor, 1)) {
  const index = order[next];
  let hashed;
  try {
    hashed = hash(ranges[index]);
  } catch (error) {
    hashed = { hex: error.code ?? "unreadable", blocks: [] };
  }
  if (hashed === undefined) break;
  hashes.push([index, hashed]);
  if (hashes.length >= 256) say();
}
say();
`;
