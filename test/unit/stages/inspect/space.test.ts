import { describe, expect, it } from "vitest";
import type { BundleDocument } from "../../../../src/model/bundle.ts";
import type { Digest } from "../../../../src/model/digest.ts";
import { platformSpace, spaceOf, type ItemContent } from "../../../../src/stages/inspect/space.ts";
import { anImage, anIndex, aStore } from "../../../rig/graph.ts";
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

describe("platformSpace", () => {
  it("counts for a platform what it alone wants: its layers, its programs, and not what several share", async () => {
    const platforms = ["linux/amd64", "linux/arm64"];
    const [amd, arm] = [
      anImage({ layers: [{ a: "amd64" }] }),
      anImage({ layers: [{ a: "arm64" }], architecture: "arm64" }),
    ];
    const both = anIndex([amd, arm]);
    const plugin = anImage({ layers: [{ "plugin.wasm": "the same for all" }] });
    const items = [aLockItem("r.example/a:1", both, { platforms }), aLockItem("r.example/p:1", plugin, { platforms })];
    const store = aStore(both, plugin);
    const gone = new Set<string>();
    const space = () =>
      platformSpace(
        {
          document: { items, platforms } as unknown as BundleDocument,
          size: 100_000,
          programs: [
            { name: "bin/helm-linux-arm64", size: 5000 },
            { name: "bin/other", size: 7 },
          ],
          fetch: (descriptor, options) => store.fetch(descriptor, options),
          hasBlob: (digest) => !gone.has(digest),
        },
        new AbortController().signal,
      );
    const bytesOf = ({ blobs }: typeof amd) => [...blobs.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const own = new Map([
      ["linux/amd64", bytesOf(amd)],
      ["linux/arm64", bytesOf(arm) + 5000],
    ]);
    expect(await space()).toEqual({ own, shared: 100_000 - bytesOf(amd) - bytesOf(arm) - 5000 });
    for (const digest of amd.blobs.keys()) gone.add(digest);
    expect((await space()).own.get("linux/amd64")).toBe(0);
  });
});
