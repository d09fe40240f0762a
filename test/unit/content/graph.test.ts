import { describe, expect, it } from "vitest";
import { readGraph } from "../../../src/content/graph.ts";
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
});

function one(of: object, layerOf: object): object {
  return { config: of, layers: [layerOf], annotations: { "org.example.other": "yes" } };
}
