import { contentMismatch } from "../../content/verified.ts";
import type { Digest } from "../../model/digest.ts";
import { isFailure, type Failure } from "../../model/failure.ts";
import { Batches } from "./batches.ts";
import { hashInline, type StartHash, type StreamHash } from "../../content/stream-hash.ts";
import type { StreamSegment } from "./layout.ts";
import type { OpenOutput } from "./ports.ts";

export interface EntryTransferOptions {
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
 * right. A prefix that survived is hashed again and not fetched again. Returns how many bytes were fetched.
 */
export async function transfer(
  segment: StreamSegment,
  out: OpenOutput,
  options: EntryTransferOptions,
): Promise<number> {
  const { entry, content } = segment;
  const { signal, onBytes, write, outstanding } = options;
  const start = survivedOf(segment, out);
  const startHash = start === 0 ? (options.startHash ?? hashInline) : hashInline;
  using hash = startHash(entry.size);
  await rehash(segment, out, { start, hash, signal });
  const wrote = (bytes: number): void => out.wrote(entry.name, bytes, false);
  const batches = new Batches(segment, start, { hash, write, wrote, outstanding });
  let received = start;
  try {
    for await (const chunk of content.open(start, signal)) {
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
  return entry.size - start;
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
