import { createHash } from "node:crypto";
import { contentMismatch } from "../../content/verified.ts";
import { digestFrom, type Digest } from "../../model/digest.ts";
import { abortable } from "../../std/abortable.ts";
import type { Content, ByteRange } from "./answer.ts";

/** A part of this size is read to answer for one byte: small enough for a header, large enough to keep few sums. */
const blockSize = 256 * 1024;

/**
 * Parts of content that are held against its digest before they go out. The first part that is asked for costs one
 * reading of the whole, which leaves a sha256 for each block (32 bytes for each 256 KiB are kept); from then on a part
 * costs the blocks that it touches. What is read twice is so checked twice: media may change between two readings.
 */
export class BlockSums {
  readonly #known = new Map<Digest, Promise<readonly Buffer[]>>();

  /** @throws Failure CONTENT_MISMATCH before the first byte that is not right */
  async *open(content: Content, { first, last }: ByteRange, signal: AbortSignal): AsyncGenerator<Buffer, void, void> {
    const sums = await abortable(this.#sumsOf(content), signal);
    const from = Math.floor(first / blockSize);
    let position = from * blockSize;
    for await (const { block, sum } of blocksOf(content, position, signal)) {
      const wanted = sums[position / blockSize];
      if (wanted === undefined || !sum.equals(wanted))
        throw contentMismatch(
          { mediaType: "", digest: content.digest, size: content.size },
          { size: content.size, digest: `sha256 ${sum.toString("hex")} @ ${String(position)}` },
          "bundle",
        );
      const end = Math.min(block.length, last + 1 - position);
      yield block.subarray(Math.max(0, first - position), end);
      position += block.length;
      if (position > last) return;
    }
  }

  /** One reading for all who ask, and not ended by the one who asked first and left. */
  #sumsOf(content: Content): Promise<readonly Buffer[]> {
    const known = this.#known.get(content.digest) ?? readSums(content);
    this.#known.set(content.digest, known);
    known.catch(() => this.#known.delete(content.digest));
    return known;
  }
}

async function readSums(content: Content): Promise<readonly Buffer[]> {
  const seal = createHash("sha256");
  const sums: Buffer[] = [];
  let size = 0;
  for await (const { block, sum } of blocksOf(content, 0, new AbortController().signal)) {
    seal.update(block);
    sums.push(sum);
    size += block.length;
    if (size > content.size) break;
  }
  const digest = digestFrom(seal);
  if (size !== content.size || digest !== content.digest)
    throw contentMismatch({ mediaType: "", digest: content.digest, size: content.size }, { size, digest }, "bundle");
  return sums;
}

/** Blocks with their sums. Each is a buffer of its own: what a source yields is its own again at its next step. */
async function* blocksOf(content: Content, offset: number, signal: AbortSignal) {
  let block = Buffer.allocUnsafe(blockSize);
  let filled = 0;
  for await (const chunk of content.open(offset, signal)) {
    for (let at = 0; at < chunk.byteLength;) {
      const part = chunk.subarray(at, at + blockSize - filled);
      block.set(part, filled);
      filled += part.byteLength;
      at += part.byteLength;
      if (filled < blockSize) continue;
      yield { block, sum: sumOf(block) };
      block = Buffer.allocUnsafe(blockSize);
      filled = 0;
    }
  }
  const rest = block.subarray(0, filled);
  if (filled > 0) yield { block: rest, sum: sumOf(rest) };
}

function sumOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
