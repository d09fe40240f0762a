import { describe, expect, it } from "vitest";
import type { BundleDocument } from "../../../../src/model/bundle.ts";
import type { LockItem } from "../../../../src/model/lock.ts";
import { diffBundles, untagged } from "../../../../src/stages/inspect/diff.ts";
import { anImage, type Seed } from "../../../rig/graph.ts";
import { aLockItem } from "../../../rig/lock-item.ts";

const one = anImage({ layers: [{ a: "1" }] });
const two = anImage({ layers: [{ a: "2" }] });
const item = (reference: string, seed: Seed = one, platforms = ["linux/amd64"]): LockItem =>
  aLockItem(reference, seed, { platforms });
const document = (items: readonly LockItem[], blobs: readonly (readonly [string, number])[] = []): BundleDocument =>
  ({
    items,
    platforms: ["linux/amd64"],
    blobs: blobs.map(([digest, size]) => ({ digest, size, mediaType: "" })),
  }) as unknown as BundleDocument;

describe("diffBundles", () => {
  it("finds nothing between a bundle and itself", () => {
    const same = document([item("r.example/a:1"), item("r.example/b:1", two)], [["x", 1]]);
    expect(diffBundles(same, same)).toEqual({
      added: [],
      removed: [],
      changed: [],
      unchanged: 2,
      newBytes: 0,
      platformsAdded: [],
      platformsRemoved: [],
    });
  });

  it("takes a new tag of a repository as a change, not as one gone and one come", () => {
    const diff = diffBundles(document([item("r.example/a:1")]), document([item("r.example/a:2", two)]));
    expect([diff.added, diff.removed]).toEqual([[], []]);
    expect(diff.changed).toMatchObject([
      { name: "r.example/a", before: { reference: "r.example/a:1" }, after: { reference: "r.example/a:2" } },
    ]);
  });

  it("sees a tag that was overwritten, and platforms that came and went", () => {
    const before = document([item("r.example/a:1", one, ["linux/amd64", "linux/s390x"])]);
    const after = document([item("r.example/a:1", two, ["linux/amd64", "linux/arm64"])]);
    expect(diffBundles(before, after).changed).toMatchObject([
      { platformsAdded: ["linux/arm64"], platformsRemoved: ["linux/s390x"] },
    ]);
  });

  it("guesses nothing where a repository has several tags on a side", () => {
    const before = document([item("r.example/a:1"), item("r.example/a:2")]);
    const after = document([item("r.example/a:2"), item("r.example/a:3")]);
    const diff = diffBundles(before, after);
    // a:2 is on both sides; what is left is one and one again.
    expect([diff.unchanged, diff.changed.length, diff.added.length, diff.removed.length]).toEqual([1, 1, 0, 0]);
    const many = diffBundles(
      document([item("r.example/a:1")]),
      document([item("r.example/a:3"), item("r.example/a:4")]),
    );
    expect([many.changed.length, many.added.length, many.removed.length]).toEqual([0, 2, 1]);
  });

  it("counts the bytes that only the later one has", () => {
    const before = document([], [["x", 5]]);
    expect(
      diffBundles(
        before,
        document(
          [],
          [
            ["x", 5],
            ["y", 7],
          ],
        ),
      ).newBytes,
    ).toBe(7);
  });
});

describe("untagged", () => {
  it.each([
    ["r.example:5000/a/b:1.2", "r.example:5000/a/b"],
    ["r.example:5000/a/b", "r.example:5000/a/b"],
    [`r.example/a@sha256:${"0".repeat(64)}`, "r.example/a"],
    [`r.example/a:1@sha256:${"0".repeat(64)}`, "r.example/a"],
  ])("of %s is %s", (reference, name) => {
    expect(untagged(reference)).toBe(name);
  });
});
