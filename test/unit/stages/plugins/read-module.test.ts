import { describe, expect, it } from "vitest";
import { parseManifest, type ImageManifest } from "../../../../src/model/manifest.ts";
import { pluginLayout } from "../../../../src/model/plugin-layout.ts";
import { readModule } from "../../../../src/stages/plugins/read-module.ts";
import { aModule, anImage, aStore, aWasmPlugin, flipped, type Seed } from "../../../rig/graph.ts";

const module = aModule("the code");
const layoutOf = ({ root, blobs }: Seed) =>
  pluginLayout(parseManifest(blobs.get(root.digest)!, root.mediaType) as ImageManifest);
const read = (seed: Seed) => readModule(layoutOf(seed), aStore(seed), { name: "p" });

describe("readModule", () => {
  it.each(["oci", "compat", "docker", "single"] as const)("takes the module out of the %s layout", async (layout) => {
    expect(Buffer.from(await read(aWasmPlugin({ module, layout })))).toEqual(module);
  });

  it("takes the first plugin.wasm, in whatever folder, as the gateway does", async () => {
    const files = { "main.wasm": "no", "opt/plugin.wasm": module, "plugin.wasm": "later" };
    expect(Buffer.from(await read(anImage({ layers: [files] })))).toEqual(module);
  });

  it("finds no module in a folder of that name, as the gateway does", async () => {
    const files = { "plugin.wasm/": "", "opt/plugin.wasm": module };
    await expect(read(anImage({ layers: [files] }))).rejects.toMatchObject({
      code: "PLUGIN_UNUSABLE",
      facts: { plugin: "p", why: "plugin.wasm: directory" },
    });
  });

  it("says that a tar holds no plugin.wasm", async () => {
    await expect(read(anImage({ layers: [{ "main.wasm": "x" }] }))).rejects.toMatchObject({
      code: "PLUGIN_UNUSABLE",
      facts: { plugin: "p", why: "no plugin.wasm in the last layer" },
    });
  });

  it("refuses a bomb long before it is unpacked", async () => {
    const bomb = anImage({ layers: [{ "plugin.wasm": new Uint8Array(20 * 1024 ** 2) }] });
    await expect(read(bomb)).rejects.toMatchObject({
      code: "PLUGIN_UNUSABLE",
      facts: { why: "unpacks to more than 200 times its size" },
    });
  });

  it("refuses a raw layer that is over the gateway's limit without fetching it", async () => {
    const layer = { ...aWasmPlugin().root, size: 256 * 1024 ** 2 + 1 };
    await expect(readModule({ shape: "oci", layer }, aStore(), { name: "p" })).rejects.toMatchObject({
      facts: { plugin: "p", why: "256.0 MiB > 256.0 MiB" },
    });
  });

  it.each(["oci", "compat"] as const)("believes nothing that is not its digest (%s)", async (shape) => {
    const seed = aWasmPlugin({ module, layout: shape });
    const layout = layoutOf(seed);
    if (layout.shape === "unloadable") throw new Error("unloadable");
    // Byte 4 of a gzip header is its time: it unpacks to the same module, and yet it is another blob.
    const damaged = flipped(seed, layout.layer.digest, 4);
    await expect(readModule(layout, aStore(damaged))).rejects.toMatchObject({ code: "CONTENT_MISMATCH" });
  });
});
