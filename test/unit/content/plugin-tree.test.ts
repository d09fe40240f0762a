import { describe, expect, it } from "vitest";
import { pluginTree } from "../../../src/content/plugin-tree.ts";
import { digestOf, hexOf } from "../../../src/model/digest.ts";
import type { LockItem } from "../../../src/model/lock.ts";
import { collect } from "../../../src/std/collect.ts";
import { aModule, anIndex, aStore, aWasmPlugin, flipped, type PluginLayout, type Seed } from "../../rig/graph.ts";
import { aLockItem, type ItemOptions } from "../../rig/lock-item.ts";

const hub = "higress-registry.cn-hangzhou.cr.aliyuncs.com/plugins";
const aPlugin = (repository: string, seed: Seed, options: ItemOptions = {}): LockItem =>
  aLockItem(`${hub}/${repository}`, seed, { kind: "plugin", ...options });
const sha256 = (bytes: Uint8Array) => hexOf(digestOf(bytes));

describe("pluginTree", () => {
  it("puts a plugin under each of its names, tags and versions, and under its name alone", async () => {
    const seed = aWasmPlugin({ module: aModule("json") });
    const item = aPlugin("jsonrpc-converter:2.0.1", seed, { name: "json-converter", version: "1.0.0" });
    const tree = await pluginTree([item], aStore(seed));
    const names = ["json-converter", "jsonrpc-converter"];
    const directories = names.flatMap((name) => ["1.0.0", "2.0.1"].map((version) => `plugins/${name}/${version}`));
    expect([...tree.keys()].sort()).toEqual(
      [
        ...directories.flatMap((directory) => [`${directory}/plugin.wasm`, `${directory}/metadata.txt`]),
        ...names.map((name) => `${name}.wasm`),
        "plugins/snapshot-inventory.json",
      ].sort(),
    );
    const modules = [...tree.values()].filter(({ path }) => path.endsWith(".wasm"));
    expect(new Set(modules.map((file) => file.sha256))).toEqual(new Set([sha256(aModule("json"))]));
  });

  it.each<PluginLayout>(["oci", "compat", "docker", "single"])("finds the module of the layout %s", async (layout) => {
    const module = aModule("x".repeat(100_000));
    const seed = aWasmPlugin({ module, layout });
    const file = (await pluginTree([aPlugin("ai-proxy:2.0.0", seed)], aStore(seed))).get("ai-proxy.wasm");
    expect({ size: file?.size, sha256: file?.sha256 }).toEqual({ size: module.length, sha256: sha256(module) });
    expect(sha256(await collect(file!.open(), 1e6))).toBe(sha256(module));
    expect(sha256(await collect(file!.open(99_990), 1e6))).toBe(sha256(module.subarray(99_990)));
  });

  it("takes linux/amd64 of an index, as the gateway does", async () => {
    const [arm, amd] = ["arm64", "amd64"].map((architecture) => {
      const seed = aWasmPlugin({ module: aModule(architecture) });
      return { ...seed, root: { ...seed.root, platform: { os: "linux", architecture } } };
    }) as [Seed, Seed];
    const index = anIndex([arm, amd]);
    const tree = await pluginTree([aPlugin("waf:1.0.0", index)], aStore(index));
    expect(tree.get("waf.wasm")?.sha256).toBe(sha256(aModule("amd64")));
  });

  it("lets a real tag go before another plugin's info.version", async () => {
    const [old, next] = [aWasmPlugin({ module: aModule("old") }), aWasmPlugin({ module: aModule("next") })];
    const items = [
      aPlugin("cors:2.0.0", next, { version: "1.0.0" }),
      aPlugin("cors:1.0.0", old, { name: "cors-old", version: "1.0.0" }),
    ];
    const tree = await pluginTree(items, aStore(old, next));
    expect(tree.get("plugins/cors/1.0.0/plugin.wasm")?.sha256).toBe(sha256(aModule("old")));
    expect(tree.get("cors.wasm")?.sha256).toBe(sha256(aModule("next")));
  });

  it("refuses two different plugins of one name and tag", async () => {
    const [ours, theirs] = [aWasmPlugin({ module: aModule("1") }), aWasmPlugin({ module: aModule("2") })];
    const items = [aPlugin("cors:2.0.0", ours), aLockItem("a.corp/own/cors:2.0.0", theirs, { kind: "plugin" })];
    await expect(pluginTree(items, aStore(ours, theirs))).rejects.toMatchObject({
      code: "NAME_COLLISION",
      facts: { target: "plugins/cors/2.0.0" },
    });
  });

  it("makes no path of a name or version that is not one segment", async () => {
    const seed = aWasmPlugin();
    const item = aPlugin("cors:2.0.0", seed, { name: "../../etc", version: "../.." });
    const paths = [...(await pluginTree([item], aStore(seed))).keys()];
    expect(paths.filter((path) => path.includes(".."))).toEqual([]);
    expect(paths).toContain("plugins/cors/2.0.0/plugin.wasm");
  });

  it("refuses a damaged layer and one without a module", async () => {
    const packed = aWasmPlugin({ layout: "compat" });
    const layer = [...packed.blobs].find(([, bytes]) => bytes[0] === 0x1f)![0];
    const damaged = flipped(packed, layer, 12);
    await expect(pluginTree([aPlugin("cors:1", packed)], aStore(damaged))).rejects.toMatchObject({
      code: expect.stringMatching(/^(ARCHIVE_INVALID|CONTENT_MISMATCH)$/) as string,
    });
    const image = aWasmPlugin({ layout: "oci" });
    const bare = anIndex([]);
    await expect(pluginTree([aPlugin("cors:1", bare)], aStore(image, bare))).rejects.toMatchObject({
      code: "PLUGIN_UNUSABLE",
    });
  });

  it("lists a plugin whose name every object has", async () => {
    const seed = aWasmPlugin();
    const names = ["constructor", "__proto__"];
    const items = names.map((name) => aPlugin("constructor:2.0.2", seed, { name }));
    const tree = await pluginTree(items, aStore(seed));
    const text = (await collect(tree.get("plugins/snapshot-inventory.json")!.open(), 1e6)).toString();
    const listed = JSON.parse(text) as Record<string, Record<string, unknown>>;
    expect(Object.keys(listed).sort()).toEqual(names.sort());
    expect(Object.hasOwn(Object.prototype, "2.0.2") || Object.hasOwn(Object, "2.0.2")).toBe(false);
  });

  it("tells each plugin's origin in metadata.txt and in the inventory", async () => {
    const seed = aWasmPlugin();
    const tree = await pluginTree([aPlugin("cors:2.0.2", seed)], aStore(seed));
    const text = async (path: string) => (await collect(tree.get(path)!.open(), 1e6)).toString();
    expect(await text("plugins/cors/2.0.2/metadata.txt")).toBe(
      `Plugin Name: cors\nSize: 8 bytes\nSHA256: ${sha256(aModule())}\nOrigin: ${hub}/cors:2.0.2@${seed.root.digest}\n`,
    );
    expect(JSON.parse(await text("plugins/snapshot-inventory.json"))).toMatchObject({
      cors: { "2.0.2": { path: "/plugins/cors/2.0.2/plugin.wasm", sha256: sha256(aModule()) } },
    });
  });
});
