import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../../../src/model/digest.ts";
import { MediaType } from "../../../../src/model/media-type.ts";
import { openBundle } from "../../../../src/stages/bundle/open.ts";
import { pack } from "../../../../src/stages/bundle/pack.ts";
import type { PackInput } from "../../../../src/stages/bundle/ports.ts";
import { evidence, verifyBundle, type VerifyResult } from "../../../../src/stages/verify/verify.ts";
import { aPackInput, someItems, type SeededItem } from "../../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../../rig/bundle-memory.ts";
import { aBlob, anImage, anIndex, aParent, without, type Seed } from "../../../rig/graph.ts";

async function bytesOf(input: PackInput = aPackInput()): Promise<Buffer> {
  const output = new MemoryOutput();
  await pack(input, output);
  return output.bytes;
}

async function verified(bytes: Buffer, quick = false): Promise<VerifyResult> {
  await using bundle = await openBundle(new MemorySource(bytes));
  const hashRanges = (ranges: readonly { offset: number; size: number }[]): Promise<string[]> =>
    Promise.resolve(
      ranges.map(({ offset, size }) =>
        createHash("sha256")
          .update(bytes.subarray(offset, offset + size))
          .digest("hex"),
      ),
    );
  return await verifyBundle(bundle, { hashRanges }, { quick });
}

const [gateway, console] = [someItems[0]!, someItems[1]!];
const sound = await bytesOf();

async function placeOf(name: string): Promise<{ offset: number; size: number }> {
  return (await openBundle(new MemorySource(sound))).entries.get(name)!;
}

async function flippedIn(name: string, at = 0): Promise<Buffer> {
  const bytes = Buffer.from(sound);
  const { offset } = await placeOf(name);
  bytes[offset + at] = (bytes[offset + at] ?? 0) ^ 1;
  return bytes;
}

/** An image whose layers are named and nowhere. */
function ofStrangers(layers: number): Seed {
  const config = aBlob("{}", MediaType.ociConfig);
  return aParent(MediaType.ociManifest, [config], (only) => ({
    config: only,
    layers: Array.from({ length: layers }, (_, at) => ({
      ...only,
      mediaType: MediaType.ociLayerGzip,
      digest: digestOf(Buffer.from(String(at))),
    })),
  }));
}

describe("verifyBundle", () => {
  it("finds nothing in a sound bundle, having hashed all of it", async () => {
    const { findings, checked } = await verified(sound);
    expect(findings).toEqual([]);
    const bundle = await openBundle(new MemorySource(sound));
    const unsummed = [...bundle.entries].filter(([name]) => name === "SHA256SUMS" || name === "bundle.json");
    const all = [...bundle.entries.values()].reduce((sum, { size }) => sum + size, 0);
    expect(checked.entries).toBe(bundle.entries.size - 1);
    expect(checked.bytes).toBe(all - (unsummed.find(([name]) => name === "SHA256SUMS")?.[1].size ?? 0));
  });

  it("names the blob and every item that needs it", async () => {
    const shared = [...gateway.seed.blobs.keys()].find((digest) => console.seed.blobs.has(digest))!;
    const { findings } = await verified(await flippedIn(`blobs/sha256/${shared.slice(7)}`));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      code: "bundle.blob-damaged",
      severity: "error",
      facts: { digest: shared, items: `${gateway.reference}, ${console.reference}`, volume: "memory.tar" },
    });
  });

  it("reports a damaged manifest once, and what is below the others still", async () => {
    const root = `blobs/sha256/${gateway.seed.root.digest.slice(7)}`;
    const { findings, damaged } = await verified(await flippedIn(root));
    expect(findings.map(({ code }) => code)).toEqual(["bundle.blob-damaged"]);
    expect(findings[0]?.facts).toMatchObject({ items: gateway.reference });
    expect(damaged).toEqual([root]);
  });

  it("reports damage in small files, and in several places at once", async () => {
    const bytes = await flippedIn("charts/higress-2.2.4.tgz", 1000);
    const { offset } = await placeOf("install.sh");
    bytes[offset] = 0x20;
    const { findings } = await verified(bytes);
    expect(findings.map(({ code, facts }) => [code, "file" in facts && facts.file])).toEqual([
      ["bundle.file-damaged", "charts/higress-2.2.4.tgz"],
      ["bundle.file-damaged", "install.sh"],
    ]);
  });

  it("misses no byte: whichever one is flipped, opening refuses it or verify reports it", async () => {
    const property = fc.asyncProperty(fc.nat({ max: sound.byteLength - 1 }), fc.nat({ max: 7 }), async (at, bit) => {
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const seen = await verified(bytes).then(
        ({ findings }) => findings.length,
        () => 1,
      );
      expect(seen).toBeGreaterThan(0);
    });
    await fc.assert(property, { seed: 13, numRuns: 400 });
  });

  it("reports a blob that an item needs and bundle.json does not list", async () => {
    const layer = [...console.seed.blobs.keys()].find((digest) => !gateway.seed.blobs.has(digest))!;
    const items: SeededItem[] = [{ ...console, seed: without(console.seed, layer) }];
    const { findings } = await verified(await bytesOf(aPackInput({ items })));
    expect(findings).toMatchObject([
      { code: "bundle.blob-missing", facts: { digest: layer, items: console.reference } },
    ]);
  });

  it("reports a blob that no item needs", async () => {
    const stray = anImage({ layers: [{ stray: "stray" }] });
    const blobs = new Map([...console.seed.blobs, ...stray.blobs]);
    const { findings } = await verified(
      await bytesOf(aPackInput({ items: [{ ...console, seed: { ...console.seed, blobs } }] })),
    );
    const codes = findings.map(({ code, severity }) => `${severity} ${code}`);
    expect(new Set(codes)).toEqual(new Set(["warning bundle.blob-unlisted"]));
  });

  it("walks what three thousand items share once, and names twenty of them", async () => {
    const root = ofStrangers(1000);
    const items = Array.from({ length: 3000 }, (_, at): SeededItem => {
      return { kind: "image", reference: `registry.example/a:${at}`, seed: root };
    });
    const { findings } = await verified(await bytesOf(aPackInput({ items })), true);
    expect(findings).toHaveLength(1000);
    const named = Array.from({ length: 20 }, (_, at) => `registry.example/a:${at}`);
    for (const { code, facts } of findings) {
      expect(code).toBe("bundle.blob-missing");
      expect(facts).toMatchObject({ items: `${named.join(", ")}, …` });
    }
  });

  it("reports an index in an index in an index, which nobody can push", async () => {
    const deep = [1, 2, 3, 4, 5].reduce((seed) => anIndex([seed]), console.seed);
    const { findings } = await verified(
      await bytesOf(aPackInput({ items: [{ ...console, seed: deep, platforms: [] }] })),
    );
    expect(findings).toMatchObject([
      { code: "bundle.manifest-unusable", facts: { digest: console.seed.root.digest, why: "depth > 4" } },
    ]);
  });

  it("says once of each of three hundred items which of sixty platforms a thousand images are not for", async () => {
    const images = Array.from({ length: 1000 }, (_, at) => ({ variant: `w${at}` }));
    const root = aParent(MediaType.ociIndex, [console.seed], (only) => ({
      manifests: images.map((more) => ({ ...only, platform: { os: "linux", architecture: "arm", ...more } })),
    }));
    const platforms = Array.from({ length: 64 }, (_, at) => `linux/arm/v${at}`);
    const items = Array.from({ length: 300 }, (_, at): SeededItem => {
      return { kind: "image", reference: `registry.example/a:${at}`, seed: root, platforms };
    });
    const { findings } = await verified(await bytesOf(aPackInput({ items })), true);
    expect(findings).toHaveLength(300);
    const first = (names: readonly string[]): string => `${names.slice(0, 20).join(", ")}, …`;
    const has = first(images.map(({ variant }) => `linux/arm/${variant}`));
    for (const { facts } of findings) expect(facts).toMatchObject({ platform: first(platforms), has });
  });

  it("reports a platform that bundle.json promises, of an item that another one leads to as well", async () => {
    const outer: SeededItem = { ...gateway, reference: "registry.example/outer:1", seed: anIndex([gateway.seed]) };
    const items = [
      { ...outer, platforms: [] },
      { ...gateway, platforms: ["linux/s390x"] },
    ];
    const { findings } = await verified(await bytesOf(aPackInput({ items })));
    expect(findings).toMatchObject([{ code: "bundle.platform-missing", facts: { item: gateway.reference } }]);
  });

  it("reports a platform that bundle.json promises and the index lacks", async () => {
    const items = [{ ...gateway, platforms: ["linux/amd64", "linux/s390x"] }];
    const { findings } = await verified(await bytesOf(aPackInput({ items })));
    expect(findings).toMatchObject([
      { code: "bundle.platform-missing", facts: { platform: "linux/s390x", has: "linux/amd64, linux/arm64" } },
    ]);
  });

  it("reads no layer when it is told to be quick, and sees a damaged manifest all the same", async () => {
    const layer = await layerOf(sound);
    expect((await verified(await flippedIn(layer), true)).findings).toEqual([]);
    const root = `blobs/sha256/${gateway.seed.root.digest.slice(7)}`;
    const { findings } = await verified(await flippedIn(root), true);
    expect(findings).toMatchObject([{ code: "bundle.manifest-unusable", facts: { items: gateway.reference } }]);
  });

  it("says for the record what was checked and what came of it", async () => {
    await using bundle = await openBundle(new MemorySource(sound));
    const facts = { at: new Date(0), tool: { name: "higress-airgap", version: "1" } };
    const report = evidence(bundle, await verified(await flippedIn("README.txt")), facts);
    expect(report).toMatchObject({
      verdict: "damaged",
      checkedAt: "1970-01-01T00:00:00.000Z",
      bundle: { sha256OfBundleJson: bundle.id, signature: { present: false } },
      findings: [{ code: "bundle.file-damaged" }],
    });
    expect(evidence(bundle, await verified(sound), facts).verdict).toBe("sound");
  });
});

async function layerOf(bytes: Buffer): Promise<string> {
  const bundle = await openBundle(new MemorySource(bytes));
  const manifests = new Set(bundle.document.items.map(({ root }) => root.digest));
  const small = bundle.document.blobs.filter(({ digest, size }) => !manifests.has(digest) && size > 100);
  const layer = small.find(({ digest }) => {
    const place = bundle.entries.get(`blobs/sha256/${digest.slice(7)}`)!;
    return bytes.readUInt16BE(place.offset) === 0x1f8b;
  });
  if (layer === undefined) throw new Error(MediaType.ociLayerGzip);
  return `blobs/sha256/${layer.digest.slice(7)}`;
}
