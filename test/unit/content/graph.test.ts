import { describe, expect, it } from "vitest";
import { readGraph } from "../../../src/content/graph.ts";
import type { Fetcher } from "../../../src/content/store.ts";
import type { Digest } from "../../../src/model/digest.ts";
import { MediaType } from "../../../src/model/media-type.ts";
import { aBlob, aParent, aStore } from "../../rig/builders/graph.ts";

const config = aBlob("{}", MediaType.ociConfig);
const layer = aBlob("a layer");
const image = (layerSize: number) =>
  aParent(MediaType.ociManifest, [config, layer], (of, { digest, mediaType }) => ({
    config: of,
    layers: [{ mediaType, digest, size: layerSize }],
  }));
const index = (...images: ReturnType<typeof image>[]) =>
  aParent(MediaType.ociIndex, images, (...manifests) => ({ manifests }));

describe("readGraph", () => {
  it("takes a blob that several manifests name once", async () => {
    const graph = index(image(layer.root.size), aParent(MediaType.ociManifest, [config, layer], one));
    const { blobs } = await readGraph(aStore(graph), graph.root, "source");
    expect(blobs.map(({ digest }) => digest)).toEqual([config.root.digest, layer.root.digest]);
  });

  it("refuses one digest with two sizes: a place in the bundle is as long as its descriptor says", async () => {
    const graph = index(image(layer.root.size), image(layer.root.size + 1));
    await expect(readGraph(aStore(graph), graph.root, "source")).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      facts: { what: layer.root.digest, why: `size ${layer.root.size} / ${layer.root.size + 1}` },
    });
  });

  it("refuses manifests that are too large together: all of them are held", async () => {
    const full = (number: number) =>
      aBlob(`{"schemaVersion":2,"manifests":[],"a":"${"x".repeat(4e6)}${number}"}`, MediaType.ociIndex);
    const graph = index(...Array.from({ length: 17 }, (_, number) => full(number)));
    const asked: Digest[] = [];
    const store = aStore(graph);
    const from: Fetcher = { fetch: (each) => (asked.push(each.digest), store.fetch(each)) };
    await expect(readGraph(from, graph.root, "source")).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      facts: { what: graph.root.digest, why: "manifests > 67108864 B" },
    });
    expect(asked).toHaveLength(17);
  });
});

function one(of: object, layerOf: object): object {
  return { config: of, layers: [layerOf], annotations: { "org.example.other": "yes" } };
}
