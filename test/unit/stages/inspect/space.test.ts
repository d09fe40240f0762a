import { describe, expect, it } from "vitest";
import type { Digest } from "../../../../src/model/digest.ts";
import { spaceOf, type ItemContent } from "../../../../src/stages/inspect/space.ts";
import { anImage } from "../../../rig/graph.ts";
import { aLockItem } from "../../../rig/lock-item.ts";

const item = (reference: string): ItemContent["item"] => aLockItem(reference, anImage());
const blob = (name: string, size: number) => ({ digest: name as Digest, size });
const contents: readonly ItemContent[] = [
  { item: item("r.example/a:1"), blobs: [blob("base", 100), blob("base2", 20), blob("a", 7)] },
  { item: item("r.example/b:1"), blobs: [blob("base", 100), blob("base2", 20), blob("b", 50), blob("b", 50)] },
  { item: item("r.example/c:1"), blobs: [blob("base", 100), blob("gone", 1000)] },
];
const files = [{ name: "bin/helm-linux-amd64", size: 23 }];
const carried = new Set(["base", "base2", "a", "b"]);

describe("spaceOf", () => {
  it("counts each blob once, and adds up to the whole file", () => {
    const shares = spaceOf({ contents, carried, files, total: 500 });
    expect(shares.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(500);
    expect(shares.map(({ kind, bytes, of }) => [kind, bytes, of.length])).toEqual([
      ["other", 300, 0],
      ["shared", 100, 3],
      ["image", 50, 1],
      ["other", 23, 0],
      ["shared", 20, 2],
      ["image", 7, 1],
    ]);
  });

  it("leaves out what a delta expects on the other side", () => {
    expect(spaceOf({ contents, carried, files, total: 500 }).some(({ name }) => name === "r.example/c:1")).toBe(false);
  });
});
