import * as z from "zod";
import { limits } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { DigestText, Prose } from "../../model/names.ts";
import { listOf } from "../../model/list-of.ts";
import type { Bundle } from "./open.ts";
import { parseBounded } from "../../std/bounded-json.ts";

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
  let json: unknown;
  try {
    json = parseBounded(text);
  } catch (cause) {
    throw new Failure("CONFIG_INVALID", { file, problems: "JSON" }, { cause });
  }
  const parsed = Inventory.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Failure("CONFIG_INVALID", { file, problems: problems.join("; ") });
}

/** `PackInput.delta`: leaves out the blobs that the other side has. */
export function deltaSince(
  { base, digests }: Inventory,
  blobs: readonly Digest[],
): { readonly base: string; readonly absent: ReadonlySet<Digest> } {
  const there = new Set<Digest>(digests);
  return { base, absent: new Set(blobs.filter((digest) => there.has(digest))) };
}
