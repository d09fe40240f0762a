import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Failure, isFailure } from "../model/failure.ts";

/** Takes bytes out of a stream in the portions that a format asks for, holding one chunk at a time. */
export class Puller {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #cutOff: () => Error;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes taken since the part began. */
  #taken = 0;
  #parts = 0;

  /** `cutOff` makes the error for a stream that ends inside a portion. */
  constructor(source: AsyncIterable<Uint8Array>, cutOff: () => Error) {
    this.#source = source[Symbol.asyncIterator]();
    this.#cutOff = cutOff;
  }

  /** Up to `limit` bytes, without a copy: valid until the next call. `undefined` at the end. */
  async #some(limit: number): Promise<Uint8Array | undefined> {
    while (this.#chunk.byteLength === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#chunk = next.value;
    }
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.byteLength);
    this.#taken += taken.byteLength;
    return taken;
  }

  /** A copy of the next `count` bytes; `undefined` when the stream ended exactly here. */
  async exactly(count: number): Promise<Buffer | undefined> {
    const whole = Buffer.allocUnsafe(count);
    for (let at = 0; at < count;) {
      const some = await this.#some(count - at);
      if (some === undefined) {
        if (at === 0) return undefined;
        throw this.#cutOff();
      }
      whole.set(some, at);
      at += some.byteLength;
    }
    return whole;
  }

  /** Begins a part of `count` bytes. Stopping early is fine: `skipPart` goes on from there. */
  part(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    this.#taken = 0;
    this.#parts += 1;
    return this.#part(count, this.#parts);
  }

  /** A part that is read after its time ends at once: it must not eat the bytes of the next. */
  async *#part(count: number, part: number): AsyncGenerator<Uint8Array, void, undefined> {
    while (part === this.#parts && this.#taken < count) {
      const some = await this.#some(count - this.#taken);
      if (some === undefined) throw this.#cutOff();
      yield some;
    }
  }

  /** Goes to `count` bytes after the beginning of the part, however much of it was read. */
  async skipPart(count: number): Promise<void> {
    while (this.#taken < count) if ((await this.#some(count - this.#taken)) === undefined) throw this.#cutOff();
  }

  /** To the end of the stream, so that whatever proves it at its end has spoken. */
  async drain(): Promise<void> {
    while ((await this.#some(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

interface GunzipLimits {
  /** What it is, for the failure. */
  readonly what: string;
  readonly maxBytes: number;
  /** Bytes out for each byte in. Deflate cannot pass 1032; wasm, jars and root filesystems stay below 20. @default 200 */
  readonly maxRatio?: number | undefined;
}

/** Below this a high ratio is only a small file of zeros. */
const ratioFloor = 16 * 1024 ** 2;

/**
 * Unpacks a stream that others made: no more than `maxBytes`, and no bomb on the way there. Failures of the source pass
 * as they are. @throws Failure ARCHIVE_INVALID
 */
export async function* gunzipped(source: AsyncIterable<Uint8Array>, limits: GunzipLimits): AsyncGenerator<Buffer> {
  const { what, maxBytes, maxRatio = 200 } = limits;
  const count = { in: 0, out: 0 };
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  const feeding = pipeline(Readable.from(counted(source, count), { highWaterMark: 1 }), gunzip);
  // The reader below sees the same error; without this it would count as unhandled when the reader stops early.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      count.out += chunk.byteLength;
      if (count.out > maxBytes)
        throw new Failure("ARCHIVE_INVALID", { what, why: `unpacks to more than ${maxBytes} B` });
      if (count.out > ratioFloor && count.out > count.in * maxRatio)
        throw new Failure("ARCHIVE_INVALID", { what, why: `unpacks to more than ${maxRatio} times its size` });
      yield chunk;
    }
    await feeding;
  } catch (cause) {
    throw isZlib(cause) ? new Failure("ARCHIVE_INVALID", { what, why: `gzip: ${cause.message}` }, { cause }) : cause;
  } finally {
    gunzip.destroy();
  }
}

/** A source may reuse the buffer of a chunk once the next is asked for, and the stream queues one: hence the copy. */
async function* counted(source: AsyncIterable<Uint8Array>, count: { in: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    count.in += chunk.byteLength;
    yield Buffer.from(chunk);
  }
}

function isZlib(error: unknown): error is Error {
  if (isFailure(error) || !(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && code.startsWith("Z_");
}
