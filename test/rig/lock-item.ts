import type { ItemKind, LockItem } from "../../src/model/lock.ts";
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
  const { kind = "image", name = reference, aliases = [], version, platforms = ["linux/amd64"] } = options;
  const bytes = [...seed.blobs.values()].reduce((sum, blob) => sum + blob.byteLength, 0);
  return {
    kind,
    name,
    reference,
    root: { ...seed.root, annotations: undefined } as LockItem["root"],
    bytes,
    platforms: [...platforms],
    role: "test",
    aliases: [...aliases],
    ...(version !== undefined && { version }),
  };
}
