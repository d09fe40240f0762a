import * as z from "zod";
import type { Fetcher } from "../../content/store.ts";
import { limits } from "../../model/bundle.ts";
import { parseCarried } from "../../model/carried.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { listOf } from "../../model/list-of.ts";
import { DigestText, Prose } from "../../model/names.ts";
import type { Bundle } from "../../content/open-bundle.ts";

/** What the other side has: `inventory.json`, carried back instead of a bundle. */
export const Inventory = z.strictObject({
  inventoryVersion: z.literal(1),
  /** What has it, for people: a bundle's name, version and the first digits of its id, or a registry's prefix. */
  base: Prose(300),
  digests: listOf(DigestText, limits.entries),
});
export interface Inventory extends z.output<typeof Inventory> {}

/** A delta's own base is on the other side as well: what it says is there counts. */
export function inventoryOf({ id, document }: Pick<Bundle, "id" | "document">): Inventory {
  const base = `${document.name} ${document.version} (${id.slice(0, 12)})`;
  return { inventoryVersion: 1, base, digests: document.blobs.map(({ digest }) => digest).sort() };
}

/** @throws Failure CONFIG_INVALID */
export function parseInventory(text: string, file: string): Inventory {
  return parseCarried(text, file, Inventory);
}

/** `PackInput.delta`: leaves out the blobs that the other side has. */
export function deltaSince(
  { base, digests }: Inventory,
  blobs: readonly Digest[],
): { readonly base: string; readonly absent: ReadonlySet<Digest> } {
  const there = new Set<Digest>(digests);
  return { base, absent: new Set(blobs.filter((digest) => there.has(digest))) };
}

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
