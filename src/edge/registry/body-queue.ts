import { StalledError, type WireBody } from "./transport.ts";

/** What the queue may do to the connection that fills it. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Closes the connection. */
  abort(): void;
  /** The reader is done with a chunk: its memory may be used again. */
  release?(chunk: Uint8Array): void;
}

/** Bytes held for a slow reader before its connection is told to wait (docs/facts/node.md#back-pressure). */
const highWater = 512 * 1024;
/** A reader that got less than this per second, over a whole period, is being dripped on. */
const slowest = 256;
/** Longer leftovers than this cost more to read than a new connection. */
const drainLimit = 64 * 1024;

interface Waiter {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A response body between the parser that pushes and the reader that pulls. Chunks are handed on as they came, not
 * joined: a `Readable` concatenates what it holds, which is one copy of every byte. A chunk is the reader's until it
 * asks for the next one.
 */
export class BodyQueue implements WireBody {
  readonly #flow: Flow;
  readonly #chunks: Uint8Array[] = [];
  #held = 0;
  #paused = false;
  #ended = false;
  #error: Error | undefined;
  #waiter: Waiter | undefined;
  /** The chunk that the reader has, until it asks for the next. */
  #lent: Uint8Array | undefined;
  readonly #stallSeconds: number;
  readonly #watch: NodeJS.Timeout;
  #received = 0;
  #waited = 0;
  #waitingSince = 0;

  constructor(flow: Flow, stallSeconds: number) {
    this.#flow = flow;
    this.#stallSeconds = stallSeconds;
    this.#watch = setInterval(() => this.#checkPace(), stallSeconds * 1000).unref();
  }

  add(chunk: Uint8Array): void {
    this.#received += chunk.byteLength;
    if (this.#waiter !== undefined) {
      this.#lent = chunk;
      this.#settle((waiter) => waiter.resolve({ value: chunk, done: false }));
      return;
    }
    this.#chunks.push(chunk);
    this.#held += chunk.byteLength;
    if (this.#held >= highWater && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#watch);
    this.#settle((waiter) => waiter.resolve({ value: undefined, done: true }));
  }

  /** What arrived before is still delivered. */
  fail(error: Error): void {
    this.#error ??= error;
    clearInterval(this.#watch);
    this.#settle((waiter) => waiter.reject(error));
  }

  destroy(): void {
    if (!this.#ended && this.#error === undefined) {
      this.fail(new Error("body destroyed"));
      this.#flow.abort();
    }
    this.#takeBack();
    for (const chunk of this.#chunks.splice(0)) this.#flow.release?.(chunk);
    this.#held = 0;
  }

  async drain(): Promise<void> {
    let size = 0;
    try {
      for await (const chunk of this) {
        size += chunk.byteLength;
        if (size > drainLimit) break;
      }
    } catch {
      // What is thrown away may as well be broken.
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.destroy();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#takeBack();
    const value = this.#chunks.shift();
    if (value !== undefined) {
      this.#lent = value;
      this.#held -= value.byteLength;
      if (this.#paused && this.#held < highWater / 2) {
        this.#paused = false;
        this.#flow.resume();
      }
      return Promise.resolve({ value, done: false });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    this.#waitingSince = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  #takeBack(): void {
    const lent = this.#lent;
    this.#lent = undefined;
    if (lent !== undefined) this.#flow.release?.(lent);
  }

  #settle(how: (waiter: Waiter) => void): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waited += performance.now() - this.#waitingSince;
    this.#waiter = undefined;
    how(waiter);
  }

  /** A slow reader is no stall: only time that was spent waiting for the network counts. */
  #checkPace(): void {
    const now = performance.now();
    const waited = this.#waited + (this.#waiter === undefined ? 0 : now - this.#waitingSince);
    const starved = waited >= this.#stallSeconds * 800 && this.#received < slowest * this.#stallSeconds;
    this.#received = 0;
    this.#waited = 0;
    this.#waitingSince = now;
    if (!starved) return;
    this.fail(new StalledError(this.#stallSeconds));
    this.#flow.abort();
  }
}
