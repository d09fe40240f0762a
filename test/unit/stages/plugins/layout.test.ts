import { describe, expect, it } from "vitest";
import { digestOf } from "../../../../src/model/digest.ts";
import { parseManifest, type ImageManifest } from "../../../../src/model/manifest.ts";
import { MediaType } from "../../../../src/model/media-type.ts";
import { pluginLayout } from "../../../../src/model/plugin-layout.ts";
import { repackPlugin } from "../../../../src/stages/plugins/repack.ts";
import { aModule, aWasmPlugin, type Seed } from "../../../rig/graph.ts";

const manifestOf = ({ root, blobs }: Seed): ImageManifest =>
  parseManifest(blobs.get(root.digest)!, root.mediaType) as ImageManifest;
const layoutOf = (seed: Seed) => pluginLayout(manifestOf(seed));

const layer = (mediaType: string, size = 1) => ({ mediaType, digest: digestOf(mediaType), size });
const manifest = (...types: readonly string[]): ImageManifest => ({
  kind: "image",
  mediaType: MediaType.ociManifest,
  config: layer("application/vnd.unknown.config.v1+json"),
  layers: types.map((type) => layer(type)),
  annotations: undefined,
  subject: undefined,
});
const shapeOf = (...types: readonly string[]) => pluginLayout(manifest(...types));

describe("pluginLayout", () => {
  it.each(["docker", "compat", "oci"] as const)("knows the %s layout, and the layer that the module is in", (shape) => {
    const seed = aWasmPlugin({ layout: shape });
    expect(layoutOf(seed)).toEqual({ shape, layer: manifestOf(seed).layers.at(-1) });
  });

  it("finds the raw module whichever of the two layers it is", () => {
    const found = shapeOf(MediaType.wasmContent, "text/markdown");
    expect(found).toMatchObject({ shape: "oci", layer: { mediaType: MediaType.wasmContent } });
  });

  it.each([
    ["no layer", [], "0 layers"],
    ["the module alone, as the first 2.0.1 plugins were published", [MediaType.wasmContent], "1 layers, 2 wanted"],
    ["three layers", ["text/markdown", "text/yaml", MediaType.wasmContent], "3 layers, 2 wanted"],
    [
      "a type of wasm-to-oci",
      ["text/yaml", "application/vnd.wasm.content.layer.v1+wasm"],
      `no layer ${MediaType.wasmContent}`,
    ],
  ])("says that a gateway refuses %s", (_name, types, why) => {
    expect(shapeOf(...types)).toMatchObject({ shape: "unloadable", why });
  });

  it("points to the raw module in what is unloadable, unless there are two", () => {
    expect(shapeOf("text/yaml", "text/plain", "application/wasm")).toMatchObject({
      wasmLayer: { mediaType: "application/wasm" },
    });
    expect(shapeOf(MediaType.wasmContent, "application/wasm", "text/yaml")).not.toHaveProperty("wasmLayer");
  });

  it("takes a tar for the module only when it stands last", () => {
    expect(shapeOf(MediaType.ociLayerGzip, "text/markdown", "text/yaml")).toMatchObject({ shape: "unloadable" });
    expect(shapeOf("text/markdown", "text/yaml", MediaType.ociLayerGzip)).toMatchObject({ shape: "compat" });
  });

  it("holds a docker manifest to docker's layer type, as the gateway does", () => {
    const mixed = { ...manifest(MediaType.ociLayerGzip), mediaType: MediaType.dockerManifest };
    expect(pluginLayout(mixed)).toEqual({
      shape: "unloadable",
      why: `last layer ${MediaType.ociLayerGzip}`,
    });
  });
});

describe("repackPlugin", () => {
  const single = aWasmPlugin({ layout: "single", module: aModule("one") });
  const wasm = manifestOf(single).layers[0]!;

  it("makes a layout that every gateway loads, around the same module", () => {
    const { manifest: made } = repackPlugin(manifestOf(single), wasm, single.root.digest);
    const again = parseManifest(made.bytes, made.descriptor.mediaType) as ImageManifest;
    expect(made.descriptor).toMatchObject({ digest: digestOf(made.bytes), size: made.bytes.byteLength });
    expect(pluginLayout(again)).toMatchObject({
      shape: "oci",
      layer: { digest: wasm.digest },
    });
  });

  it("makes every blob that the source does not have", () => {
    const { manifest: made, blobs } = repackPlugin(manifestOf(single), wasm);
    const { config, layers } = parseManifest(made.bytes, made.descriptor.mediaType) as ImageManifest;
    const known = new Set([...blobs.map(({ descriptor }) => descriptor.digest), wasm.digest]);
    expect([config, ...layers].filter(({ digest }) => !known.has(digest))).toEqual([]);
    for (const { descriptor, bytes } of blobs) expect(descriptor.digest).toBe(digestOf(bytes));
  });

  it("gives the same bytes for the same input, whatever the order of its annotations", () => {
    const annotated = (annotations: Record<string, string>) =>
      repackPlugin({ ...manifestOf(single), annotations }, wasm);
    const made = annotated({ a: "1", b: "2" }).manifest.descriptor.digest;
    expect(annotated({ b: "2", a: "1" }).manifest.descriptor.digest).toBe(made);
    expect(annotated({ b: "2", a: "3" }).manifest.descriptor.digest).not.toBe(made);
  });

  it("records what it was made from, and keeps what was said of it", () => {
    const source = { ...manifestOf(single), annotations: { "org.opencontainers.image.revision": "abc" } };
    const { manifest: made } = repackPlugin(source, wasm, single.root.digest);
    expect(parseManifest(made.bytes, made.descriptor.mediaType).annotations).toEqual({
      "org.opencontainers.image.base.digest": single.root.digest,
      "org.opencontainers.image.revision": "abc",
    });
  });

  it("labels a module of another tool as the gateway wants it", () => {
    const { manifest: made } = repackPlugin(manifest("application/wasm"), layer("application/wasm"));
    expect(pluginLayout(parseManifest(made.bytes, made.descriptor.mediaType) as ImageManifest)).toMatchObject({
      shape: "oci",
    });
  });
});
