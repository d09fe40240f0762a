import type { ItemKind, LockItem } from "../../src/model/lock.ts";
import { parseReference } from "../../src/model/reference.ts";
import type { Seed } from "./graph.ts";

export interface ItemOptions {
  readonly kind?: ItemKind;
  readonly name?: string;
  readonly aliases?: readonly string[];
  readonly version?: string;
  readonly platforms?: readonly string[];
}

/** A lock's line about `seed`, as resolve would write it. */
export function aLockItem(reference: string, seed: Seed, options: ItemOptions = {}): LockItem {
  const { repository } = parseReference(reference);
  const { kind = "image", name = repository, aliases = [], version, platforms = ["linux/amd64"] } = options;
  const { mediaType, digest, size } = seed.root;
  const bytes = [...seed.blobs.values()].reduce((sum, blob) => sum + blob.byteLength, 0);
  return {
    kind,
    name,
    reference,
    root: { mediaType, digest, size },
    bytes,
    platforms: [...platforms],
    role: "test",
    aliases: [...aliases],
    ...(version !== undefined && { version }),
  };
}
