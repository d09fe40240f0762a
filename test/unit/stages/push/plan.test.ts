import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mapItems } from "../../../../src/stages/relocate/mapping.ts";
import type { Mapped } from "../../../../src/model/relocation.ts";
import { bytesByProject, planPush } from "../../../../src/stages/push/plan.ts";
import { pushItems } from "../../../../src/stages/push/push.ts";
import { anImage, anIndex, type Seed } from "../../../rig/graph.ts";
import { aLockItem } from "../../../rig/lock-item.ts";
import { aSource, MemoryTarget } from "./memory-target.ts";

const byPath = { registry: "h.corp", project: "p", templates: { image: "{registry}/{path}" } };
const mapped = (pairs: readonly (readonly [string, Seed])[]): readonly Mapped[] =>
  mapItems(
    pairs.map(([reference, seed]) => aLockItem(reference, seed)),
    byPath,
  ).mapped;
const isManifest = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"schemaVersion"');
const bytesOf = (seed: Seed): number => [...seed.blobs.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);

describe("bytesByProject", () => {
  const image = anImage();

  it("counts a blob, config or manifest once in each project, as a quota does", async () => {
    const items = mapped([
      ["r.io/one/a:1", image],
      ["r.io/one/b:1", image],
      ["r.io/two/a:1", image],
    ]);
    const plan = await planPush(items, aSource([image]), new MemoryTarget());
    expect(bytesByProject(plan)).toEqual(
      new Map([
        ["one", bytesOf(image)],
        ["two", bytesOf(image)],
      ]),
    );
  });

  it("counts nothing for a blob that the project has in another repository", async () => {
    const target = new MemoryTarget();
    await pushItems(mapped([["r.io/one/a:1", image]]), aSource([image]), target);
    const items = mapped([
      ["r.io/one/a:1", image],
      ["r.io/one/b:1", image],
    ]);
    expect(bytesByProject(await planPush(items, aSource([image]), target))).toEqual(new Map());
  });
});

describe("pushItems, in whatever order requests finish", () => {
  const layer = fc.integer({ min: 0, max: 5 }).map((number) => ({ file: `layer ${String(number)}` }));
  const image = fc.array(layer, { minLength: 1, maxLength: 4 }).map((layers) => anImage({ layers }));
  const index = fc.array(image, { minLength: 1, maxLength: 3 }).map((images) => anIndex(images));
  const items = fc.array(fc.oneof(image, index), { minLength: 1, maxLength: 5 });

  it("sends every blob once, content before manifests, and each manifest at the first try", () =>
    fc.assert(
      fc.asyncProperty(items, fc.scheduler(), async (seeds, scheduler) => {
        const target = new MemoryTarget();
        target.before = scheduler.scheduleFunction(() => Promise.resolve());
        const all = mapped(seeds.map((seed, at) => [`r.io/p/item${String(at)}:1`, seed] as const));
        await scheduler.waitFor(pushItems(all, aSource(seeds), target, { concurrency: 3 }));
        const blobs = new Map(seeds.flatMap((seed) => [...seed.blobs]).filter(([, bytes]) => !isManifest(bytes)));
        const sent = target.calls.filter(({ step }) => step === "push").map(({ what }) => what);
        const sentBlobs = sent.filter((digest) => blobs.has(digest as never));
        expect(new Set(sentBlobs)).toEqual(new Set(blobs.keys()));
        expect(sentBlobs).toHaveLength(blobs.size);
        expect(target.count("tag")).toBe(seeds.length);
        expect(target.tags.size).toBe(seeds.length);
      }),
      { seed: 7, numRuns: 60 },
    ));
});
