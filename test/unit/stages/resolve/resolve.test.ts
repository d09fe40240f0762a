import { describe, expect, it } from "vitest";
import { MediaType } from "../../../../src/model/media-type.ts";
import { parsePlatform } from "../../../../src/model/platform.ts";
import { parseReference } from "../../../../src/model/reference.ts";
import { resolveImage } from "../../../../src/stages/resolve/image.ts";
import type { SourceRepository } from "../../../../src/stages/resolve/ports.ts";
import { aBlob, anImage, anIndex, aParent, aStore, type Seed } from "../../../rig/graph.ts";

const request = { reference: parseReference("registry.example/higress/gateway:2.2.4"), role: "spec" };
const sourceOf = (seed: Seed): SourceRepository => {
  const store = aStore(seed);
  const { mediaType, digest, size } = seed.root;
  return {
    fetch: (descriptor, options) => store.fetch(descriptor, options),
    resolve: () => Promise.resolve({ descriptor: { mediaType, digest, size }, bytes: seed.blobs.get(digest)! }),
  };
};
const resolve = (seed: Seed, platforms: readonly string[], allowMissing = false) =>
  resolveImage(request, sourceOf(seed), { platforms: platforms.map((text) => parsePlatform(text)!), allowMissing });

/** A manifest whose config is what some other tool put there. */
const artifact = (config: string): Seed =>
  aParent(MediaType.ociManifest, [aBlob(config, "application/octet-stream")], (c) => ({ config: c, layers: [] }));

describe("resolveImage", () => {
  it("keeps the chosen platforms of an index, and says that the digest is another one", async () => {
    const index = anIndex([anImage(), anImage({ architecture: "arm64" }), anImage({ architecture: "s390x" })]);
    const { item, graph } = await resolve(index, ["linux/amd64", "linux/arm64"]);
    expect(item.platforms).toEqual(["linux/amd64", "linux/arm64"]);
    expect(item.derived).toEqual({ from: index.root, how: "platforms" });
    expect(item.root.digest).not.toBe(index.root.digest);
    expect(graph.manifests).toHaveLength(3);
  });

  it("leaves an index that has nothing else byte for byte as it was", async () => {
    const index = anIndex();
    const { item } = await resolve(index, ["linux/amd64", "linux/arm64"]);
    expect(item.root).toEqual(index.root);
    expect(item.derived).toBeUndefined();
  });

  it("takes the platform of an image without an index from its config, the variant too", async () => {
    const image = anImage({ architecture: "arm", variant: "v7" });
    expect((await resolve(image, ["linux/arm/v7"])).item.platforms).toEqual(["linux/arm/v7"]);
  });

  it("keeps what an index has where none of it is of a chosen platform and that is allowed", async () => {
    const index = anIndex([anImage({ architecture: "arm64" }), anImage({ architecture: "s390x" })]);
    const facts = { platform: "linux/amd64", has: "linux/arm64 linux/s390x" };
    await expect(resolve(index, ["linux/amd64"])).rejects.toMatchObject({ code: "PLATFORM_MISSING", facts });
    const { findings, item } = await resolve(index, ["linux/amd64"], true);
    expect(findings).toMatchObject([{ severity: "warning", code: "bundle.platform-missing", facts }]);
    expect(item).toMatchObject({ root: index.root, platforms: ["linux/arm64", "linux/s390x"] });
  });

  it("looks into an index that does not say what its children are for, indexes among them", async () => {
    const [amd, arm] = [anImage(), anImage({ architecture: "arm64" })];
    const inner = aParent(MediaType.ociIndex, [amd], (child) => ({ manifests: [child] }));
    const outer = aParent(MediaType.ociIndex, [inner, arm], (...manifests) => ({ manifests }));
    const { item } = await resolve(outer, ["linux/amd64"]);
    expect(item.platforms).toEqual(["linux/amd64"]);
    expect(item.derived?.from).toEqual(outer.root);
    const facts = { platform: "linux/s390x", has: "linux/amd64 linux/arm64" };
    await expect(resolve(outer, ["linux/s390x"])).rejects.toMatchObject({ code: "PLATFORM_MISSING", facts });
  });

  it("reads no index whose manifests are too large together", async () => {
    const child = { mediaType: MediaType.ociManifest, digest: `sha256:${"0".repeat(64)}`, size: 4 * 1024 ** 2 };
    const index = aParent(MediaType.ociIndex, [], () => ({ manifests: Array.from({ length: 17 }, () => child) }));
    await expect(resolve(index, ["linux/amd64"])).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      facts: { what: index.root.digest, why: "manifests > 67108864 B" },
    });
  });

  it.each([
    ["by its media type", "application/vnd.docker.distribution.manifest.v1+prettyjws", '{ "schemaVersion": 1 }'],
    ["by its document", MediaType.ociManifest, '{ "schemaVersion": 1, "fsLayers": [] }'],
  ])("names an image of schema 1, told %s", async (_how, mediaType, document) => {
    await expect(resolve(aBlob(document, mediaType), ["linux/amd64"])).rejects.toMatchObject({
      code: "IMAGE_UNUSABLE",
      facts: { image: "registry.example/higress/gateway:2.2.4", why: "schema 1" },
    });
  });

  it("names the image whose manifest cannot be read", async () => {
    await expect(resolve(aBlob("{}", MediaType.ociManifest), ["linux/amd64"])).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      facts: { what: `registry.example/higress/gateway:2.2.4 (${MediaType.ociManifest})` },
    });
  });

  it.each([
    ["of another platform", anImage({ architecture: "arm64" }), "linux/arm64"],
    ["whose config is no JSON", artifact("not JSON"), ""],
    ["whose config is null", artifact("null"), ""],
    ["whose config says nothing of it", artifact("{}"), ""],
  ])("refuses an image %s, or says so where that is allowed", async (_what, image, has) => {
    const facts = { platform: "linux/amd64", has };
    const refused =
      has === "" ? { code: "IMAGE_UNUSABLE", facts: { why: "artifact" } } : { code: "PLATFORM_MISSING", facts };
    await expect(resolve(image, ["linux/amd64"])).rejects.toMatchObject(refused);
    const { findings, item } = await resolve(image, ["linux/amd64"], true);
    expect(findings).toMatchObject([{ severity: "warning", code: "bundle.platform-missing", facts }]);
    expect(item.root.digest).toBe(image.root.digest);
  });
});
