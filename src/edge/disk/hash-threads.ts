import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { BlockPool } from "../../std/block-pool.ts";
import { hashInline, type StartHash, type StreamHash } from "../../content/stream-hash.ts";

/** Threads that hash what this one receives: hashing is most of the work of a build. */
export interface HashThreads extends AsyncDisposable {
  /** Resolves when the threads run, and never rejects. */
  readonly started: Promise<StartHash>;
}

/** The largest block, in bytes. Threads see only memory that is shared with them. */
const blockSize = 512 * 1024;
/** Less than this is hashed before a thread has been told of it. */
const worthThread = 1024 ** 2;

/**
 * Starts the threads: one per processor that receiving leaves over, at most 4. Where none can be started, streams are
 * hashed on this thread.
 */
export function hashThreads(count = Math.min(4, Math.max(1, availableParallelism() - 1))): HashThreads {
  const opened = Promise.all(Array.from({ length: count }, openThread));
  return {
    started: opened.then((threads) => hashIn(threads.filter((thread) => thread !== undefined))),
    async [Symbol.asyncDispose]() {
      await Promise.all((await opened).map(async (thread) => thread?.close()));
    },
  };
}

/** Threads take turns. */
function hashIn(threads: readonly Thread[]): StartHash {
  const memory = new BlockPool(blockSize, (size) => Buffer.from(new SharedArrayBuffer(size)));
  let turn = 0;
  return (size) => {
    const thread = threads[turn++ % threads.length];
    return thread === undefined || size < worthThread ? hashInline(size) : new ThreadHash(thread, memory);
  };
}

class ThreadHash implements StreamHash {
  static #count = 0;
  readonly #thread: Thread;
  readonly #memory: BlockPool;
  readonly #mine: Buffer[] = [];
  readonly #id = (ThreadHash.#count += 1);

  constructor(thread: Thread, memory: BlockPool) {
    this.#thread = thread;
    this.#memory = memory;
  }

  allocate(size: number): Buffer {
    if (size > blockSize) throw new RangeError(`A block of ${size} bytes`);
    const block = this.#memory.take();
    this.#mine.push(block);
    return block.subarray(0, size);
  }

  async update({ buffer, byteOffset, byteLength }: Buffer): Promise<void> {
    await this.#thread.ask({ id: this.#id, memory: buffer, offset: byteOffset, length: byteLength });
  }

  digest(): Promise<string> {
    return this.#thread.ask({ id: this.#id });
  }

  [Symbol.dispose](): void {
    this.#thread.tell({ id: this.#id, end: true });
    for (const block of this.#mine) this.#memory.give(block);
  }
}

interface Question {
  readonly id: number;
  readonly memory?: ArrayBufferLike;
  readonly offset?: number;
  readonly length?: number;
}

interface Waiting {
  readonly resolve: (answer: string) => void;
  readonly reject: (error: Error) => void;
}

/** A worker that answers one question after another, in the order in which they came. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #ended: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (answer: string) => this.#waiting.shift()?.resolve(answer));
    worker.on("error", (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.#end(new Error("the hashing thread ended")));
  }

  ask(question: Question): Promise<string> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(question);
    });
  }

  tell(order: { readonly id: number; readonly end: true }): void {
    this.#worker.postMessage(order);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

async function openThread(): Promise<Thread | undefined> {
  try {
    const worker = new Worker(program, { eval: true, env: {}, execArgv: [] });
    await once(worker, "online");
    return new Thread(worker);
  } catch {
    // No memory or no threads left for this user: slower, and no reason to fail.
    return undefined;
  }
}

/** As text: the tool is shipped as one file, in which there is no second one to start. */
const program = `"use strict";
const { parentPort } = require("node:worker_threads");
const { createHash } = require("node:crypto");
const hashes = new Map();
parentPort.on("message", ({ id, memory, offset, length, end }) => {
  if (end) return void hashes.delete(id);
  const hash = hashes.get(id) ?? createHash("sha256");
  hashes.set(id, hash);
  if (memory === undefined) return parentPort.postMessage(hash.digest("hex"));
  hash.update(new Uint8Array(memory, offset, length));
  parentPort.postMessage("");
});
`;
