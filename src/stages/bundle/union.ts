import type { Fetcher } from "../../content/store.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import type { Bundle } from "./open.ts";

/**
 * A delta, or a patch, seen together with the bundles that it rests on. Where two have a blob the delta's counts: a
 * patch replaces what is damaged. Closing it closes all.
 * @throws Failure DELTA_BASE_MISSING when blobs that the delta expects are in none of them
 */
export async function openUnion(bases: readonly Bundle[], delta: Bundle): Promise<Bundle> {
  const layers = [delta, ...bases];
  const holder = (digest: Digest, size?: number): Bundle | undefined =>
    layers.find((bundle) => bundle.hasBlob(digest, size));
  const missing = delta.document.blobs.filter(({ digest, size }) => holder(digest, size) === undefined);
  if (missing.length > 0) {
    await closeAll(layers);
    const examples = missing.slice(0, 3).map(({ digest }) => digest);
    const base = delta.document.delta?.base ?? "";
    throw new Failure("DELTA_BASE_MISSING", { missing: missing.length, base, examples: examples.join(", ") });
  }
  const fetch: Fetcher["fetch"] = (descriptor, options) =>
    (holder(descriptor.digest, descriptor.size) ?? delta).fetch(descriptor, options);
  return {
    source: delta.source,
    document: delta.document,
    id: delta.id,
    entries: delta.entries,
    sums: delta.sums,
    readFile: (name) => delta.readFile(name),
    openFile: (name, signal) => delta.openFile(name, signal),
    hasBlob: (digest, size) => holder(digest, size) !== undefined,
    signature: () => delta.signature(),
    fetch,
    [Symbol.asyncDispose]: () => closeAll(layers),
  };
}

async function closeAll(bundles: readonly Bundle[]): Promise<void> {
  await Promise.all(bundles.map((bundle) => bundle[Symbol.asyncDispose]()));
}
