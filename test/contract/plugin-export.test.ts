import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pluginTree, type PluginFile } from "../../src/content/plugin-tree.ts";
import { exportPluginTree } from "../../src/edge/archive/plugin-export.ts";
import { aModule, aStore, aWasmPlugin, flipped } from "../rig/graph.ts";
import { aLockItem } from "../rig/lock-item.ts";

const seed = aWasmPlugin({ module: aModule("cors") });
const item = aLockItem("hub.corp/plugins/cors:2.0.2", seed, { kind: "plugin", name: "cors", version: "1.0.0" });
const tree = await pluginTree([item], aStore(seed));

async function aDirectory() {
  const path = await mkdtemp(join(tmpdir(), "higress-airgap-plugins-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe("exportPluginTree", () => {
  it("writes the paths that the gateway asks for, with equal modules stored once", async () => {
    await using directory = await aDirectory();
    expect(await exportPluginTree(tree, directory.path)).toEqual({ written: tree.size, present: 0 });
    const files = await readdir(directory.path, { recursive: true });
    expect(files).toEqual(expect.arrayContaining([...tree.keys()]));
    expect(files.filter((name) => name.endsWith(".part"))).toEqual([]);
    const modules = [...tree.keys()].filter((path) => path.endsWith(".wasm"));
    for (const path of modules) expect(await readFile(join(directory.path, path))).toEqual(aModule("cors"));
    const inodes = await Promise.all(modules.map(async (path) => (await lstat(join(directory.path, path))).ino));
    expect(new Set(inodes).size).toBe(1);
  });

  it("leaves what is right, and replaces what is damaged, cut, or a link to somewhere else", async () => {
    await using directory = await aDirectory();
    await exportPluginTree(tree, directory.path);
    const at = (path: string) => join(directory.path, path);
    const outside = at("outside");
    await writeFile(outside, aModule("else"));
    await rm(at("cors.wasm"));
    await symlink(outside, at("cors.wasm"));
    await rm(at("plugins/cors/1.0.0/plugin.wasm"));
    await writeFile(at("plugins/cors/1.0.0/plugin.wasm"), aModule("sroc"));
    await writeFile(at("plugins/cors/1.0.0/metadata.txt"), "Plug");
    await writeFile(at("plugins/cors/1.0.0/plugin.wasm.part"), "of a run that was killed");
    expect(await exportPluginTree(tree, directory.path)).toEqual({ written: 3, present: tree.size - 3 });
    expect(await exportPluginTree(tree, directory.path)).toEqual({ written: 0, present: tree.size });
    expect(await readFile(outside)).toEqual(aModule("else"));
    expect(await readFile(at("plugins/cors/1.0.0/plugin.wasm"))).toEqual(aModule("cors"));
    expect((await readdir(at("plugins/cors/1.0.0"))).sort()).toEqual(["metadata.txt", "plugin.wasm"]);
  });

  it("can be read by a server that runs as somebody else, whatever the umask", async () => {
    await using directory = await aDirectory();
    const before = process.umask(0o077);
    try {
      await exportPluginTree(tree, directory.path);
    } finally {
      process.umask(before);
    }
    for (const entry of await readdir(directory.path, { recursive: true, withFileTypes: true })) {
      const { mode } = await lstat(join(entry.parentPath, entry.name));
      expect((mode & 0o777).toString(8)).toBe(entry.isDirectory() ? "755" : "644");
    }
  });

  it("writes no module that is not what its digest says", async () => {
    await using directory = await aDirectory();
    const layer = [...seed.blobs].find(([, bytes]) => bytes[1] === 0x61)![0];
    const damaged = await pluginTree([item], aStore(flipped(seed, layer, 9)));
    await expect(exportPluginTree(damaged, directory.path)).rejects.toMatchObject({ code: "CONTENT_MISMATCH" });
    const files = await readdir(directory.path, { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile())).toEqual([]);
  });

  it("follows no path out of its directory, whoever made the tree", async () => {
    await using directory = await aDirectory();
    await mkdir(join(directory.path, "in"));
    const [file] = tree.values();
    for (const path of ["../evil.wasm", "/etc/evil.wasm", "plugins/../../evil.wasm", "plugins//evil.wasm", ""]) {
      const evil = new Map<string, PluginFile>([[path, { ...file!, path }]]);
      await expect(exportPluginTree(evil, join(directory.path, "in"))).rejects.toMatchObject({
        code: "FILE_UNWRITABLE",
      });
    }
    expect(await readdir(directory.path, { recursive: true })).toEqual(["in"]);
  });
});
