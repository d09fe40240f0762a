import { createHash, type Hash } from "node:crypto";

/** `sha256:<64 lower-case hex>`, the only algorithm that every registry and every `sha256sum` checks. */
export type Digest = string & { readonly __brand: "Digest" };

const shape = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return shape.test(text);
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return digestFrom(createHash("sha256").update(bytes));
}

/** Ends `hash`, which must be a sha256. */
export function digestFrom(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}` as Digest;
}

export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}
