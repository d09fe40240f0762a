import * as z from "zod";
import { limits } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { DigestText, Prose } from "../../model/names.ts";
import { listOf } from "../../model/list-of.ts";
import type { Bundle } from "./open.ts";
import { parseCarried } from "../../model/carried.ts";

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
