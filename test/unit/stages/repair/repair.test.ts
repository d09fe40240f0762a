import { describe, expect, it } from "vitest";
import { deltaSince, inventoryOf, parseInventory, openUnion } from "../../../../src/stages/bundle/delta.ts";
import type { Bundle } from "../../../../src/content/open-bundle.ts";
import { openBundle } from "../../../../src/stages/bundle/open.ts";
import { pack } from "../../../../src/stages/bundle/pack.ts";
import type { PackInput } from "../../../../src/stages/bundle/ports.ts";
import { Failure } from "../../../../src/model/failure.ts";
import { readSmall } from "../../../../src/content/verified.ts";
import { repair } from "../../../../src/stages/repair/repair.ts";
import { parseRequest, patchFor, requestFor } from "../../../../src/stages/repair/request.ts";
import { aPackInput, someItems } from "../../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../../rig/bundle-memory.ts";
import { anImage, aStore } from "../../../rig/graph.ts";

async function bytesOf(input: PackInput = aPackInput()): Promise<Buffer> {
  const output = new MemoryOutput();
  await pack(input, output);
  return output.bytes;
}

const sound = await bytesOf();
const open = (bytes: Buffer): Promise<Bundle> => openBundle(new MemorySource(bytes));
const blobs = aPackInput().blobs.map(({ descriptor }) => descriptor);
const victim = blobs.find(({ size }) => size > 500)!;
const victimName = `blobs/sha256/${victim.digest.slice(7)}`;

async function aDamagedBundle(...names: readonly string[]): Promise<Bundle> {
  const bytes = Buffer.from(sound);
  const { entries } = await open(sound);
  for (const name of names) bytes.fill(0xaa, entries.get(name)!.offset, entries.get(name)!.offset + 4);
  return open(bytes);
}

describe("repair", () => {
  it("makes the very bytes that were built, out of a damaged copy and another one", async () => {
    const output = new MemoryOutput();
    const bundle = await aDamagedBundle(victimName, "README.txt");
    const damaged = new Set([victimName, "README.txt"]);
    const result = await repair({ bundle, damaged, copies: [await open(sound)], fetchers: [] }, output);
    expect(output.bytes.equals(sound)).toBe(true);
    expect(result.repaired).toEqual(["README.txt", victimName]);
  });

  it("passes over a copy that is damaged too, and takes the blob from a registry", async () => {
    const output = new MemoryOutput();
    const bundle = await aDamagedBundle(victimName);
    const copies = [await aDamagedBundle(victimName)];
    const fetchers = [aStore(...someItems.map(({ seed }) => seed))];
    await repair({ bundle, damaged: new Set([victimName]), copies, fetchers }, output);
    expect(output.bytes.equals(sound)).toBe(true);
  });

  it("passes over a copy whose medium cannot be read there", async () => {
    const output = new MemoryOutput();
    const stick = new MemorySource(sound);
    const bad = await openBundle(stick);
    stick.read = () => Promise.reject(new Failure("FILE_UNREADABLE", { path: "/media/stick", reason: "EIO" }));
    const bundle = await aDamagedBundle(victimName);
    const copies = [bad, await open(sound)];
    await repair({ bundle, damaged: new Set([victimName]), copies, fetchers: [] }, output);
    expect(output.bytes.equals(sound)).toBe(true);
  });

  it("tries no other source when the new file cannot be written", async () => {
    const output = new MemoryOutput();
    const bundle = await aDamagedBundle(victimName);
    const place = bundle.entries.get(victimName)!;
    output.onWrite = (offset) => {
      if (offset === place.offset) throw new Failure("DISK_FULL", { path: "/out", wanted: "1 B", free: "0 B" });
    };
    const copies = [await open(sound), await open(sound)];
    const repairing = repair({ bundle, damaged: new Set([victimName]), copies, fetchers: [] }, output);
    await expect(repairing).rejects.toMatchObject({ code: "DISK_FULL" });
  });

  it("makes one volume of it alone, wherever the volumes are cut", async () => {
    for (const size of [1000, 5120, 7777]) {
      const parts: Buffer[] = [];
      for (let offset = 0; offset < sound.byteLength; offset += size) {
        const output = new MemoryOutput();
        const range = { offset, size: Math.min(size, sound.byteLength - offset) };
        const bundle = await aDamagedBundle(victimName);
        const input = { bundle, damaged: new Set([victimName]), copies: [await open(sound)], fetchers: [], range };
        await repair(input, output);
        parts.push(output.bytes);
      }
      expect(Buffer.concat(parts).equals(sound)).toBe(true);
    }
  });

  it("gives nothing its name when no source has the bytes, or when more is damaged than was said", async () => {
    const output = new MemoryOutput();
    const bundle = await aDamagedBundle(victimName);
    const nothing = { bundle, damaged: new Set([victimName]), copies: [], fetchers: [aStore()] };
    await expect(repair(nothing, output)).rejects.toMatchObject({
      code: "CONTENT_MISSING",
      facts: { what: victimName, where: "sources" },
    });
    const unsaid = { bundle, damaged: new Set<string>(), copies: [], fetchers: [] };
    await expect(repair(unsaid, output)).rejects.toMatchObject({ code: "CONTENT_MISMATCH" });
    expect(output.committed).toBe(false);
  });
});

describe("a repair request", () => {
  it("brings back a patch that, laid over the damaged bundle, gives every blob right", async () => {
    const damaged = await aDamagedBundle(victimName);
    const request = parseRequest(JSON.stringify(requestFor(damaged, [victimName, "README.txt"])), "request.json");
    expect(request.digests).toEqual([victim.digest]);
    const delta = patchFor(
      request,
      blobs.map(({ digest }) => digest),
    );
    const patch = await bytesOf(aPackInput({ delta }));
    expect(patch.byteLength).toBeLessThan(sound.byteLength / 2 + 20_000);
    await using union = await openUnion([damaged], await open(patch));
    for (const blob of blobs) expect(await readSmall(union, blob, "bundle")).toHaveLength(blob.size);
  });

  it("of another bundle is refused", () => {
    const request = {
      requestVersion: 1 as const,
      bundle: "0".repeat(64),
      name: "a",
      version: "1",
      digests: [victim.digest],
    };
    expect(() => patchFor(request, [])).toThrow("CONTENT_MISSING");
  });

  it.each([
    "",
    "{}",
    '{"requestVersion":2}',
    '{"requestVersion":1,"bundle":"x","name":"","version":"","digests":["a"]}',
  ])("that reads %j is refused", (text) => {
    expect(() => parseRequest(text, "request.json")).toThrow("CONFIG_INVALID");
  });
});

describe("a delta", () => {
  const more = {
    kind: "image" as const,
    reference: "registry.example/new:1",
    seed: anImage({ layers: [{ n: "new" }] }),
  };
  const newer = (delta?: PackInput["delta"]): PackInput => aPackInput({ items: [...someItems, more], delta });

  it("since an older bundle carries the new blobs only, and with that bundle is whole", async () => {
    const inventory = parseInventory(JSON.stringify(inventoryOf(await open(sound))), "inventory.json");
    const all = newer().blobs.map(({ descriptor }) => descriptor);
    const bytes = await bytesOf(
      newer(
        deltaSince(
          inventory,
          all.map(({ digest }) => digest),
        ),
      ),
    );
    const delta = await open(bytes);
    expect([...delta.entries.keys()].filter((name) => name.startsWith("blobs/"))).toHaveLength(
      all.length - blobs.length,
    );
    await using union = await openUnion([await open(sound)], delta);
    for (const blob of all) expect(await readSmall(union, blob, "bundle")).toHaveLength(blob.size);
    const alone = await openUnion([], union);
    expect(all.filter(({ digest }) => !alone.hasBlob(digest))).toEqual([]);
  });

  it("without its base is refused, with what is missing", async () => {
    const inventory = inventoryOf(await open(sound));
    const all = newer().blobs.map(({ descriptor }) => descriptor.digest);
    const bytes = await bytesOf(newer(deltaSince(inventory, all)));
    const unrelated = await open(await bytesOf(aPackInput({ items: [more] })));
    await expect(openUnion([unrelated], await open(bytes))).rejects.toMatchObject({
      code: "DELTA_BASE_MISSING",
      facts: { missing: blobs.length, base: inventory.base },
    });
  });
});
