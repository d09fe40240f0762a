import { createHash } from "node:crypto";
import { maxManifestSize, type Descriptor } from "../model/descriptor.ts";
import { digestFrom } from "../model/digest.ts";
import { Failure, type Side } from "../model/failure.ts";
import { collect } from "../std/collect.ts";
import type { Fetcher } from "./store.ts";

/**
 * Passes `source` through, and throws CONTENT_MISMATCH before its end unless it is exactly `want`: too short, too long
 * and different are all wrong. A consumer that commits only at the end therefore never commits a bad byte.
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  want: Descriptor,
  side: Side,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > want.size) throw contentMismatch(want, { size }, side);
    hash.update(chunk);
    yield chunk;
  }
  const digest = digestFrom(hash);
  if (size !== want.size || digest !== want.digest) throw contentMismatch(want, { size, digest }, side);
}

export function contentMismatch(want: Descriptor, got: { size: number; digest?: string }, side: Side): Failure {
  const differs = got.digest === undefined || got.size !== want.size;
  const facts = differs
    ? { wanted: `${want.size} B`, got: `${got.size} B` }
    : { wanted: want.digest, got: got.digest ?? "?" };
  return new Failure("CONTENT_MISMATCH", { what: want.digest, ...facts }, { side });
}

/** Reads a manifest or config whole, verified. @throws Failure MANIFEST_INVALID when it is larger than a manifest may be */
export async function readSmall(from: Fetcher, want: Descriptor, side: Side, signal?: AbortSignal): Promise<Buffer> {
  if (want.size > maxManifestSize)
    throw new Failure(
      "MANIFEST_INVALID",
      { what: want.digest, why: `${want.size} B > ${maxManifestSize} B` },
      { side },
    );
  return collect(verified(from.fetch(want, { signal }), want, side), maxManifestSize);
}

/**
 * Reads a stream of known length into one buffer. Chunks are copied as they come, since a source may reuse them, and
 * nothing is held twice, unlike with `collect`. Throws a `RangeError` when the length was not the one that was said.
 */
export async function readExactly(source: AsyncIterable<Uint8Array>, size: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for await (const chunk of source) {
    if (at + chunk.byteLength > size) throw new RangeError(`More than ${size} bytes`);
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  if (at !== size) throw new RangeError(`${at} bytes, ${size} wanted`);
  return whole;
}
