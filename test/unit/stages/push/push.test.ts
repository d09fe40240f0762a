import { beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../../../../src/model/event.ts";
import { type Seed, anImage, anIndex, aWasmPlugin } from "../../../rig/graph.ts";
import { aLockItem } from "../../../rig/lock-item.ts";
import { mapItems } from "../../../../src/stages/relocate/mapping.ts";
import type { Mapped } from "../../../../src/model/relocation.ts";
import { pushItems } from "../../../../src/stages/push/push.ts";
import { aSource, MemoryTarget } from "./memory-target.ts";

const base = { "bin/sh": "base" };
const amd = anImage({ layers: [base, { app: "a" }] });
const arm = anImage({ layers: [base, { app: "b" }], architecture: "arm64" });
const index = anIndex([amd, arm]);
const sibling = anImage({ layers: [base, { app: "c" }] });
const plugin = aWasmPlugin();

const seeds = [index, sibling, plugin];
export const mapped = (pairs: readonly (readonly [string, Seed, string[]?])[]): readonly Mapped[] =>
  mapItems(
    pairs.map(([reference, seed, aliases]) => aLockItem(reference, seed, { aliases: aliases ?? [] })),
    { registry: "h.corp", project: "p", templates: {} },
  ).mapped;
const all = mapped([
  ["r.io/a/gateway:1", index, ["r.io/a/gateway:latest"]],
  ["r.io/a/console:1", sibling],
  ["r.io/a/plugin:1", plugin],
]);
const blobBytes = (...graphs: readonly Seed[]): number => {
  const unique = new Map(graphs.flatMap((seed) => [...seed.blobs]));
  return [...unique]
    .filter(([, bytes]) => !isManifestBytes(bytes))
    .reduce((sum, [, bytes]) => sum + bytes.byteLength, 0);
};
const isManifestBytes = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"schemaVersion"');

let target: MemoryTarget;
beforeEach(() => {
  target = new MemoryTarget();
});

describe("pushItems", () => {
  it("sends each unique blob once and mounts it everywhere else", async () => {
    const result = await pushItems(all, aSource(seeds), target);
    expect(target.uploaded).toBe(blobBytes(...seeds));
    expect(result.uploaded).toBe(blobBytes(...seeds));
    expect(result.blobs.mounted).toBe(1);
    expect(target.count("mount")).toBe(1);
  });

  it("points every tag and alias at its digest, and says so", async () => {
    const result = await pushItems(all, aSource(seeds), target);
    expect(result.tags).toEqual([
      { reference: "h.corp/p/a/gateway:1", digest: index.root.digest },
      { reference: "h.corp/p/a/gateway:latest", digest: index.root.digest },
      { reference: "h.corp/p/a/console:1", digest: sibling.root.digest },
      { reference: "h.corp/p/a/plugin:1", digest: plugin.root.digest },
    ]);
  });

  it("believes of no tag that it was written before it is read again, and names the one that points elsewhere", async () => {
    const wanted = mapped([["r.io/a/gateway:1", index, ["r.io/a/gateway:latest", "r.io/a/gateway:2"]]]);
    for (const lost of ["1", "latest", "2"]) {
      const forgetful = new MemoryTarget();
      forgetful.before = ({ step, what }) => {
        const written = forgetful.count("tag") === 3 && step === "head";
        if (written && what === lost) forgetful.tags.set(`p/a/gateway:${lost}`, sibling.root);
      };
      await expect(pushItems(wanted, aSource(seeds), forgetful)).rejects.toMatchObject({
        code: "CONTENT_MISMATCH",
        facts: { what: `p/a/gateway:${lost}`, wanted: index.root.digest, got: sibling.root.digest },
      });
    }
  });

  it("asks one question a tag the second time, and sends nothing", async () => {
    await pushItems(all, aSource(seeds), target);
    target.calls.length = 0;
    const again = await pushItems(all, aSource(seeds), target);
    expect(target.calls.map(({ step }) => step)).toEqual(["head", "head", "head", "head"]);
    expect(again).toMatchObject({ uploaded: 0, mounted: 0, blobs: { uploaded: 0, mounted: 0 } });
    expect(again.present).toBeGreaterThan(0);
    expect(again.tags).toHaveLength(4);
  });

  it("adds a missing alias with one request when the item is there", async () => {
    await pushItems(mapped([["r.io/a/gateway:1", index]]), aSource(seeds), target);
    target.calls.length = 0;
    await pushItems(mapped([["r.io/a/gateway:1", index, ["r.io/a/gateway:new"]]]), aSource(seeds), target);
    expect(target.calls.filter(({ step }) => step !== "head").map(({ step, what }) => [step, what])).toEqual([
      ["tag", "new"],
    ]);
  });

  it("after a stop at any step sends only what is missing", async () => {
    const probe = new MemoryTarget();
    await pushItems(all, aSource(seeds), probe, { concurrency: 1, manifestConcurrency: 1 });
    for (let stopAt = 1; stopAt <= probe.calls.length; stopAt += 1) {
      const half = new MemoryTarget();
      half.before = () => {
        if (half.calls.length === stopAt) throw new Error("killed");
      };
      const options = { concurrency: 1, manifestConcurrency: 1 };
      await expect(pushItems(all, aSource(seeds), half, options)).rejects.toThrow("killed");
      half.before = () => undefined;
      await pushItems(all, aSource(seeds), half, options);
      expect(half.uploaded).toBe(blobBytes(...seeds));
      expect(half.tags.size).toBe(4);
    }
  });

  it("uploads again where a mount is refused", async () => {
    target.mounts = false;
    const result = await pushItems(all, aSource(seeds), target);
    expect(result.blobs).toMatchObject({ mounted: 0 });
    expect(result.uploaded).toBe(target.uploaded);
    expect(target.tags.size).toBe(4);
  });

  it("mounts from a repository that already has the blob instead of sending it", async () => {
    await pushItems(mapped([["r.io/a/gateway:1", index]]), aSource(seeds), target);
    const before = target.uploaded;
    await pushItems(
      mapped([
        ["r.io/a/gateway:1", index],
        ["r.io/a/copy:1", index],
      ]),
      aSource(seeds),
      target,
    );
    expect(target.uploaded).toBe(before);
  });

  it("sends nothing on a dry run, and counts what it would", async () => {
    const result = await pushItems(all, aSource(seeds), target, { dryRun: true });
    expect(new Set(target.calls.map(({ step }) => step))).toEqual(new Set(["head", "has"]));
    expect(result).toMatchObject({ uploaded: blobBytes(...seeds), blobs: { mounted: 1 } });
  });

  it("never moves more blobs at once than it was told", async () => {
    let moving = 0;
    let most = 0;
    target.before = async ({ step }) => {
      if (step !== "push" && step !== "mount") return;
      most = Math.max(most, (moving += 1));
      await new Promise((resolve) => setImmediate(resolve));
      moving -= 1;
    };
    await pushItems(all, aSource(seeds), target, { concurrency: 2, manifestConcurrency: 1 });
    expect(most).toBeLessThanOrEqual(3);
    expect(most).toBeGreaterThan(1);
  });

  it("stops all work at the first failure, and leaves nothing running", async () => {
    target.before = ({ step }) => {
      if (step === "push") throw new Error("first");
    };
    await expect(pushItems(all, aSource(seeds), target, { concurrency: 1 })).rejects.toThrow("first");
    expect(target.count("push")).toBe(1);
    expect(target.count("tag")).toBe(0);
  });

  it("stops when it is told to", async () => {
    const stop = new AbortController();
    target.before = ({ step }) => {
      if (step === "push") stop.abort(new Error("ctrl-c"));
    };
    await expect(pushItems(all, aSource(seeds), target, { signal: stop.signal, concurrency: 1 })).rejects.toThrow(
      "ctrl-c",
    );
    expect(target.count("push")).toBe(1);
  });

  it("reports what there is to move, and every byte of it by item", async () => {
    const events: Event[] = [];
    await pushItems(all, aSource(seeds), target, { report: (event) => void events.push(event) });
    const moved = events.filter((event) => event.type === "moved").reduce((sum, { bytes }) => sum + bytes, 0);
    expect(events[0]).toEqual({ type: "transfer", phase: "push", items: 3, bytes: blobBytes(...seeds) });
    expect(moved).toBe(blobBytes(...seeds));
    expect(
      events
        .filter((event) => event.type === "item")
        .map(({ name, state }) => [name, state])
        .sort(),
    ).toEqual([
      ["a/console", "done"],
      ["a/gateway", "done"],
      ["a/plugin", "done"],
    ]);
  });
});
