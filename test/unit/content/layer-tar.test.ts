import { gzipSync } from "node:zlib";
import { Header, Pax } from "tar";
import { describe, expect, it } from "vitest";
import { layerMembers } from "../../../src/content/layer-tar.ts";
import type { Fetcher } from "../../../src/content/store.ts";
import { Failure } from "../../../src/model/failure.ts";
import { MediaType } from "../../../src/model/media-type.ts";
import { aBlob, aStore, aTar, flipped, type Seed } from "../../rig/graph.ts";

const options = { side: "source", maxBytes: 64 * 1024 ** 2 } as const;
const layerOf = (tar: Uint8Array): Seed => aBlob(gzipSync(tar), MediaType.ociLayerGzip);

async function list(seed: Seed, from: Fetcher = aStore(seed)): Promise<[string, string][]> {
  const members: [string, string][] = [];
  for await (const { path, body } of layerMembers(from, seed.root, options)) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(Uint8Array.from(chunk));
    members.push([path, Buffer.concat(chunks).toString()]);
  }
  return members;
}

const why = async (seed: Seed): Promise<string> => {
  const error: unknown = await list(seed).catch((reason: unknown) => reason);
  return error instanceof Failure ? `${error.code} ${JSON.stringify(error.facts)}` : String(error);
};

function entry(
  path: string,
  content: string,
  type: "File" | "SymbolicLink" | "Directory" | "NextFileHasLongPath" = "File",
): Buffer {
  const header = Buffer.alloc(512);
  new Header({ path, size: Buffer.byteLength(content), mode: 0o644, mtime: new Date(0), type }).encode(header);
  return Buffer.concat([header, Buffer.from(content), Buffer.alloc((512 - (Buffer.byteLength(content) % 512)) % 512)]);
}
const end = Buffer.alloc(1024);
const long = `${"deep/".repeat(40)}plugin.wasm`;

/** Hands out everything a few bytes at a time, in one buffer that it uses again. */
const stingy = (seed: Seed): Fetcher => ({
  async *fetch(descriptor, { offset = 0 } = {}) {
    const whole = seed.blobs.get(descriptor.digest)!;
    const lent = new Uint8Array(7);
    for (let at = offset; at < whole.byteLength; at += 7) {
      const part = whole.subarray(at, at + 7);
      lent.set(part);
      yield lent.subarray(0, part.byteLength);
      await Promise.resolve();
      lent.fill(0);
    }
  },
});

describe("layerMembers", () => {
  it("gives every member with its content, in order", async () => {
    const seed = layerOf(aTar({ "./a.txt": "hello", "/b/c.txt": "", "d.bin": "x".repeat(2000) }));
    expect(await list(seed)).toEqual([
      ["a.txt", "hello"],
      ["b/c.txt", ""],
      ["d.bin", "x".repeat(2000)],
    ]);
  });

  it("reads from a source that lends its chunks and takes them back", async () => {
    const seed = layerOf(aTar({ "a.txt": "hello", "d.bin": "xyz".repeat(1000) }));
    expect(await list(seed, stingy(seed))).toEqual([
      ["a.txt", "hello"],
      ["d.bin", "xyz".repeat(1000)],
    ]);
  });

  it("goes on behind a body that was read in part or not at all", async () => {
    const seed = layerOf(aTar({ a: "1".repeat(300_000), b: "2".repeat(700), c: "3" }));
    const seen: string[] = [];
    for await (const { path, body } of layerMembers(aStore(seed), seed.root, options)) {
      seen.push(path);
      if (path === "a") for await (const chunk of body) if (chunk.byteLength > 0) break;
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("gives nothing of the next member to whoever kept the body of the last", async () => {
    const seed = layerOf(aTar({ a: "1", b: "2" }));
    const members = layerMembers(aStore(seed), seed.root, options);
    const first = (await members.next()).value!;
    const second = (await members.next()).value!;
    const late: Uint8Array[] = [];
    for await (const chunk of first.body) late.push(chunk);
    const now: Uint8Array[] = [];
    for await (const chunk of second.body) now.push(chunk);
    expect([late.length, Buffer.concat(now).toString()]).toEqual([0, "2"]);
  });

  it("knows names that are too long for a header, by pax and by GNU", async () => {
    const pax = new Pax({ path: long, size: 5 }).encode();
    const tar = Buffer.concat([
      pax,
      entry("short", "hello"),
      entry("././@LongLink", `${long}\0`, "NextFileHasLongPath"),
      entry("short", "world"),
      entry("own", "!"),
      end,
    ]);
    expect(await list(layerOf(tar))).toEqual([
      [long, "hello"],
      [long, "world"],
      ["own", "!"],
    ]);
  });

  it("tells links and folders from files", async () => {
    const tar = Buffer.concat([
      entry("app/", "", "Directory"),
      entry("app/l", "", "SymbolicLink"),
      entry("app/f", "x"),
      end,
    ]);
    const types: string[] = [];
    for await (const { path, type } of layerMembers(aStore(layerOf(tar)), layerOf(tar).root, options))
      types.push(`${path} ${type}`);
    expect(types).toEqual(["app directory", "app/l link", "app/f file"]);
  });

  it("takes a layer that is not compressed", async () => {
    const seed = aBlob(aTar({ a: "1" }), "application/vnd.oci.image.layer.v1.tar");
    expect(await list(seed)).toEqual([["a", "1"]]);
  });

  it("takes a tar whose builder left out the end blocks, for its digest says that nothing is missing", async () => {
    expect(await list(layerOf(entry("a", "1")))).toEqual([["a", "1"]]);
  });

  it.each<[string, () => Seed, RegExp]>([
    ["a layer that is no gzip", () => aBlob("hello, this is no gzip", MediaType.ociLayerGzip), /ARCHIVE_INVALID.*gzip/],
    [
      "a gzip that is cut off",
      () => aBlob(gzipSync(aTar({ a: "1" })).subarray(0, -12), MediaType.ociLayerGzip),
      /ARCHIVE_INVALID.*gzip/,
    ],
    [
      "a tar that is cut off in a member",
      () => layerOf(entry("a", "x".repeat(4000)).subarray(0, 1500)),
      /ARCHIVE_INVALID.*cut off/,
    ],
    [
      "a damaged header",
      () => layerOf(Buffer.concat([entry("a", "1").fill(0xff, 0, 5), end])),
      /ARCHIVE_INVALID.*damaged header/,
    ],
    ["zstd", () => aBlob("x", "application/vnd.oci.image.layer.v1.tar+zstd"), /ARCHIVE_INVALID.*zstd/],
    [
      "a layer that is not its digest",
      () => flipped(layerOf(aTar({ a: "1" })), layerOf(aTar({ a: "1" })).root.digest, 4),
      /CONTENT_MISMATCH/,
    ],
    ["a bomb", () => layerOf(aTar({ a: new Uint8Array(20 * 1024 ** 2) })), /ARCHIVE_INVALID.*200 times/],
  ])("refuses %s", async (_name, seed, wanted) => {
    expect(await why(seed())).toMatch(wanted);
  });

  it("stops at the bound of what it may unpack to", async () => {
    const seed = layerOf(aTar({ a: "hello ".repeat(20_000) }));
    const members = layerMembers(aStore(seed), seed.root, { ...options, maxBytes: 64 * 1024 });
    await expect(members.next().then(() => members.next())).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      facts: { why: "unpacks to more than 65536 B" },
    });
  });
});
