import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadBundleSpec, loadRelocationMap, loadSite, parseConfig } from "../../../src/edge/files/config.ts";
import { GatewayGenerations, generationOf } from "../../../src/model/gateway.ts";
import { ociPatterns } from "../../../src/model/relocation.ts";
import { pluginTree } from "../../../src/content/plugin-tree.ts";
import { environmentOf } from "../../../src/stages/standalone/environment.ts";
import { aModule, aStore, aWasmPlugin } from "../../rig/graph.ts";
import { aLockItem } from "../../rig/lock-item.ts";
import { aliases, consoleUrl } from "../../../src/stages/plugins/urls.ts";
import { rewriteWasmPlugins } from "../../../src/stages/relocate/wasm-plugin.ts";

const folder = "manifests/higress";
const releases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const gateways = parseConfig(readFileSync(`${folder}/gateways.yaml`, "utf8"), "gateways.yaml", GatewayGenerations);

/** What the charts of Higress give their console from 2.1.4 on where there is a plugin server, and what the kits of this program give theirs. */
const patternsOfCharts = [
  "http://higress-plugin-server.higress-system.svc/plugins/${name}/${version}/plugin.wasm",
  "http://plugin-server:8080/plugins/${name}/${version}/plugin.wasm",
  "http://plugins.corp.example/${name}.wasm",
];

describe.each(releases.map(({ name }) => name))("the data of Higress %s", (release) => {
  const load = async () => {
    const spec = await loadBundleSpec(`${folder}/${release}/bundle.yaml`);
    return { spec, map: await loadRelocationMap(spec.charts[0]?.relocation ?? "") };
  };

  it("is about that release, in every file", async () => {
    const { spec, map } = await load();
    expect(spec).toMatchObject({ version: release, charts: [{ version: release }] });
    expect(map.version).toBe(release);
  });

  it("names each plugin once, with the version that the console would ask for, and the one that the controller loads", async () => {
    const { spec } = await load();
    const { list, mcpServer } = spec.plugins;
    expect(list.length).toBeGreaterThanOrEqual(43);
    expect(new Set(list.map(({ name }) => name)).size).toBe(list.length);
    expect(new Set(list.map(({ ref }) => ref)).size).toBe(list.length);
    expect(list.filter(({ version }) => version === undefined)).toEqual([]);
    expect(list.map(({ name }) => name)).toContain(mcpServer);
    for (const { digest } of list) if (digest !== undefined) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("pushes each plugin under every URL that the relocated console can write", async () => {
    const { spec, map } = await load();
    const { list } = spec.plugins;
    const planned = aliases(list, { consoleVersion: release, patterns: ociPatterns(map) });
    const prefix = "harbor.corp/higress";
    const moved = (reference: string): string => reference.replace(/^(oci:\/\/)?[^/]+/, prefix);
    const setting = (name: string): string | undefined => {
      const value = map.plugins.oci.find(({ path }) => path.endsWith(`.HIGRESS_ADMIN_WASM_PLUGIN_${name}`))?.value;
      return typeof value === "string" ? value.replaceAll("{prefix}", prefix) : undefined;
    };
    const [pattern, registry] = [setting("CUSTOM_IMAGE_URL_PATTERN"), setting("IMAGE_REGISTRY")];
    const env = { pattern, registry, namespace: setting("IMAGE_NAMESPACE") };
    expect([pattern, registry].filter((known) => known !== undefined)).toHaveLength(1);
    for (const plugin of list) {
      const answered = [plugin.ref, ...(planned.get(plugin.name) ?? [])].map(moved);
      expect(answered).toContain(consoleUrl(plugin, env, release).replace("oci://", ""));
    }
  });

  it("has each plugin in a kit, and on every server, where the console of that release will look for it", async () => {
    const { list } = (await load()).spec.plugins;
    const seeds = list.map(({ name }) => aWasmPlugin({ module: aModule(name) }));
    const items = list.map(({ name, ref, version }, at) =>
      aLockItem(ref.replace("oci://", ""), seeds[at]!, { kind: "plugin", name, ...(version && { version }) }),
    );
    const tree = await pluginTree(items, aStore(...seeds));
    const { variables } = environmentOf({ plugins: { from: "directory", directory: "plugins" }, carried: [] });
    for (const pattern of [...patternsOfCharts, ...variables.values()])
      for (const [at, plugin] of list.entries()) {
        const url = new URL(consoleUrl(plugin, { pattern }, release));
        const file = tree.get(decodeURIComponent(url.pathname.slice(1)));
        const chunks: Uint8Array[] = [];
        for await (const chunk of file?.open() ?? []) chunks.push(chunk.slice());
        expect(Buffer.concat(chunks).equals(aModule(list[at]!.name)), url.href).toBe(true);
      }
  });

  it("always says the root namespace, which Helm 4 would otherwise render as null", async () => {
    const { map } = await load();
    expect(map.offline).toContainEqual({ path: "higress-core.meshConfig.rootNamespace", value: "{namespace}" });
  });
});

describe("gateways.yaml", () => {
  it("knows every generation that a release names, and says unknown where it does not", () => {
    for (const { generation } of gateways.releases) expect(gateways.generations).toHaveProperty(generation);
    expect(generationOf(gateways, "2.2.5")?.name).toBe("higress-2025-06");
    expect(generationOf(gateways, "2.2.4")?.generation.proxy).toContain("redis_call");
    expect(generationOf(gateways, "2.1.9")).toBeUndefined();
    expect(generationOf(gateways, "0.0.0")).toBeUndefined();
  });

  it("lists no call twice", () => {
    for (const { proxy, wasi, abis } of Object.values(gateways.generations))
      for (const calls of [proxy, wasi, abis]) expect(new Set(calls).size).toBe(calls.length);
  });
});

describe("the examples", () => {
  it("are valid", async () => {
    expect((await loadBundleSpec("manifests/examples/bundle.yaml")).charts).toHaveLength(1);
    expect((await loadSite("manifests/examples/site.yaml")).plugins.manifests).toHaveLength(1);
    const manifest = readFileSync("manifests/examples/wasmplugin.yaml", "utf8");
    const { findings, moved } = rewriteWasmPlugins(manifest, { targetOf: () => ({ url: "oci://harbor/p:1" }) });
    expect(findings).toEqual([]);
    expect(moved).toHaveLength(1);
  });
});
