import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { promisify } from "node:util";
import * as tar from "tar";
import { describe, expect, it } from "vitest";
import type { Fetcher } from "../../src/content/store.ts";
import { platformImage, writeDockerArchive } from "../../src/edge/archive/docker-archive.ts";
import { digestOf, hexOf } from "../../src/model/digest.ts";
import { parseReference } from "../../src/model/reference.ts";
import { becauseOfOwner, skopeoMayNotChown } from "../rig/archive-owner.ts";
import { anImage, anIndex, aStore, aWasmPlugin, flipped, type Seed } from "../rig/graph.ts";

const run = promisify(execFile);
const arm64 = { os: "linux", architecture: "arm64" };
const arm = anImage({ ...arm64, layers: [{ "bin/a": "arm" }, { "etc/motd": "shared\n" }, { "etc/motd": "shared\n" }] });
const index = anIndex([anImage({ layers: [{ "bin/a": "amd" }] }), arm]);
const reference = "quay.io/higress/all-in-one:2.2.4";

async function aDirectory() {
  const path = await mkdtemp(join(tmpdir(), "higress-airgap-archive-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

interface WriteOptions {
  readonly content?: Fetcher;
  readonly signal?: AbortSignal;
}

async function write(seed: Seed, path: string, { content = aStore(seed), signal }: WriteOptions = {}) {
  const image = await platformImage({ root: seed.root, content, reference, platform: arm64, signal });
  await writeDockerArchive({ images: [{ image, names: [parseReference(reference)] }], content, path, signal });
  return image.descriptor.digest;
}

describe("writeDockerArchive", () => {
  it("writes what skopeo reads as Docker's archive: the platform that was asked for, under its name", async () => {
    await using directory = await aDirectory();
    const path = join(directory.path, "a.tar");
    expect(await write(index, path)).toBe(arm.root.digest);
    const to = join(directory.path, "out");
    await run("skopeo", ["copy", `docker-archive:${path}:${reference}`, `dir:${to}`]);
    const manifest = JSON.parse(await readFile(join(to, "manifest.json"), "utf8")) as {
      config: { digest: string };
      layers: unknown[];
    };
    const config = JSON.parse(await readFile(join(to, manifest.config.digest.slice(7)), "utf8")) as object;
    expect(config).toMatchObject({ architecture: "arm64" });
    expect(manifest.layers).toHaveLength(3);
  });

  it.skipIf(skopeoMayNotChown)(
    `writes what skopeo and umoci read as an OCI layout, manifest and all${becauseOfOwner}`,
    async () => {
      await using directory = await aDirectory();
      const path = join(directory.path, "a.tar");
      await write(index, path);
      const raw = await run("skopeo", ["inspect", "--raw", `oci-archive:${path}:2.2.4`]);
      expect(digestOf(raw.stdout)).toBe(arm.root.digest);
      const layout = join(directory.path, "layout");
      await run("mkdir", [layout]);
      await run("tar", ["-xf", path, "-C", layout]);
      const unpacked = join(directory.path, "unpacked");
      await run("umoci", ["raw", "unpack", "--rootless", "--image", `${layout}:2.2.4`, unpacked]);
      expect(await readFile(join(unpacked, "bin/a"), "utf8")).toBe("arm");
    },
  );

  it("has each blob once, in an order and with headers that do not change", async () => {
    await using directory = await aDirectory();
    const [first, second] = [join(directory.path, "1.tar"), join(directory.path, "2.tar")];
    await write(index, first);
    await write(index, second);
    expect((await readFile(first)).equals(await readFile(second))).toBe(true);
    const names: string[] = [];
    await tar.t({ file: first, onReadEntry: ({ path }) => names.push(path) });
    expect(names.slice(0, 3)).toEqual(["oci-layout", "index.json", "manifest.json"]);
    expect(new Set(names.slice(3))).toEqual(
      new Set([...arm.blobs.keys()].map((digest) => `blobs/sha256/${hexOf(digest)}`)),
    );
    expect(names).toHaveLength(3 + arm.blobs.size);
  });

  it("holds several images under all of their names, what they share once, and an index for who asks by its digest", async () => {
    await using directory = await aDirectory();
    const path = join(directory.path, "a.tar");
    const other = anImage({ ...arm64, layers: [{ "bin/b": "arm" }, { "etc/motd": "shared\n" }] });
    const [content, digest] = [aStore(index, other), index.root.digest];
    const named = async (seed: Seed, ...names: string[]) => ({
      image: await platformImage({ root: seed.root, content, reference, platform: arm64 }),
      names: names.map(parseReference),
    });
    const byDigest = `quay.io/higress/one@${digest}`;
    const images = [await named(index, reference, byDigest), await named(other, "nginx:1"), await named(arm, byDigest)];
    const size = await writeDockerArchive({ images, content, path });
    const entries: string[] = [];
    await tar.t({ file: path, onReadEntry: (entry) => entries.push(entry.path) });
    expect(new Set(entries).size).toBe(entries.length);
    expect((await readFile(path)).length).toBeGreaterThan(size);
    const layout = JSON.parse((await run("tar", ["-xOf", path, "index.json"])).stdout) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    expect(layout.manifests.map((each) => [each.annotations["io.containerd.image.name"], each.digest])).toEqual([
      [reference, arm.root.digest],
      [byDigest, digest],
      ["docker.io/library/nginx:1", other.root.digest],
      [byDigest, arm.root.digest],
    ]);
    // Docker would load what has no tag without a name.
    const docker = JSON.parse((await run("tar", ["-xOf", path, "manifest.json"])).stdout) as { RepoTags: string[] }[];
    expect(docker.map(({ RepoTags }) => RepoTags)).toEqual([[reference], ["docker.io/library/nginx:1"]]);
    const to = join(directory.path, "out");
    await run("skopeo", ["copy", `docker-archive:${path}:nginx:1`, `dir:${to}`]);
  });

  it("copes with a source that lends one buffer for all chunks of a layer", async () => {
    await using directory = await aDirectory();
    const store = aStore(arm);
    const content: Fetcher = {
      async *fetch(each, options) {
        const step = arm.blobs.get(each.digest)?.[0] === 0x1f ? 16 : each.size;
        const lent = Buffer.alloc(step);
        for await (const whole of store.fetch(each, options))
          for (let at = 0; at < whole.length; at += step)
            yield lent.subarray(0, Buffer.from(whole).copy(lent, 0, at, at + step));
      },
    };
    const [plain, lent] = [join(directory.path, "1.tar"), join(directory.path, "2.tar")];
    await write(arm, plain);
    await write(arm, lent, { content });
    expect((await readFile(lent)).equals(await readFile(plain))).toBe(true);
  });

  it("takes an image that is no index, if it is for the platform", async () => {
    await using directory = await aDirectory();
    const path = join(directory.path, "a.tar");
    expect(await write(arm, path)).toBe(arm.root.digest);
    await expect(write(anImage(), join(directory.path, "b.tar"))).rejects.toMatchObject({
      code: "PLATFORM_MISSING",
      facts: { platform: "linux/arm64", has: "linux/amd64" },
    });
    await expect(write(anIndex([anImage()]), join(directory.path, "b.tar"))).rejects.toMatchObject({
      code: "PLATFORM_MISSING",
    });
    expect(await readdir(directory.path)).toEqual(["a.tar"]);
  });

  it("refuses what no runtime could run, in words and not by leaving it out", async () => {
    await using directory = await aDirectory();
    await expect(write(aWasmPlugin(), join(directory.path, "a.tar"))).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      facts: { what: reference },
    });
  });

  it("leaves the file that was there, and nothing else, when a layer is damaged", async () => {
    await using directory = await aDirectory();
    const path = join(directory.path, "a.tar");
    await writeFile(path, "the one before");
    const layer = [...arm.blobs].find(([, bytes]) => bytes[0] === 0x1f)![0];
    await expect(write(arm, path, { content: aStore(flipped(arm, layer, 15)) })).rejects.toMatchObject({
      code: "CONTENT_MISMATCH",
    });
    expect([await readdir(directory.path), await readFile(path, "utf8")]).toEqual([["a.tar"], "the one before"]);
  });

  it.each([
    [
      "ends early",
      async function* () {
        await turn();
        yield new Uint8Array(3);
      },
    ],
    [
      "fails half-way",
      async function* () {
        await turn();
        yield new Uint8Array(3);
        throw new Error("EIO");
      },
    ],
    [
      "runs long",
      async function* () {
        await turn();
        for (;;) yield new Uint8Array(1024 ** 2);
      },
    ],
  ])("rejects once, and hangs nowhere, when the source %s", async (_name, fetch) => {
    await using directory = await aDirectory();
    const store = aStore(arm);
    const layers = [...arm.blobs].filter(([, bytes]) => bytes[0] === 0x1f).map(([digest]) => digest);
    const content: Fetcher = {
      fetch: (each, options) => (layers.includes(each.digest) ? fetch() : store.fetch(each, options)),
    };
    await expect(write(arm, join(directory.path, "a.tar"), { content })).rejects.toThrow();
    expect(await readdir(directory.path)).toEqual([]);
  });

  it("says what it cannot write", async () => {
    await using directory = await aDirectory();
    await expect(write(arm, join(directory.path, "no/such/a.tar"))).rejects.toMatchObject({
      code: "FILE_UNWRITABLE",
      facts: { reason: "ENOENT" },
    });
  });

  it.each(["before the first byte", "in the middle of a layer"])("stops %s, and leaves nothing", async (when) => {
    await using directory = await aDirectory();
    const abort = new AbortController();
    const stop = () => {
      abort.abort(new Error("stopped"));
      abort.signal.throwIfAborted();
    };
    const store = aStore(arm);
    const content: Fetcher = {
      async *fetch(each, options) {
        if (each.digest === arm.root.digest && when.startsWith("before")) abort.abort(new Error("stopped"));
        const isLayer = arm.blobs.get(each.digest)?.[0] === 0x1f;
        for await (const chunk of store.fetch(each, options)) {
          yield chunk.subarray(0, 10);
          if (isLayer) stop();
          yield chunk.subarray(10);
        }
      },
    };
    const path = join(directory.path, "a.tar");
    await expect(write(arm, path, { content, signal: abort.signal })).rejects.toThrow("stopped");
    expect(await readdir(directory.path)).toEqual([]);
  });
});
