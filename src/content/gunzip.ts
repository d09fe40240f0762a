import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { Failure, isFailure } from "../model/failure.ts";

export interface GunzipLimits {
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
