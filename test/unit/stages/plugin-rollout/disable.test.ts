import { describe, expect, it } from "vitest";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../../../src/model/wasm-plugin.ts";
import { disablePlugins } from "../../../../src/stages/plugin-rollout/disable.ts";
import { builtInPlugin } from "../../../../src/stages/plugin-rollout/document.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";

const namespace = "higress-system";
const url = "oci://harbor.test/p:1";
const builtIn = (version: string) => builtInPlugin({ name: "cors", version, namespace, url, config: { a: 1 } });
const both: WasmPlugin = {
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "both", namespace },
  spec: { url, pluginConfig: { a: 1 }, defaultConfig: { b: 2 } },
};

async function disabled(cluster: MemoryCluster, ...names: readonly string[]): Promise<readonly string[]> {
  const said: string[] = [];
  await disablePlugins(names, cluster, { namespace, off: (name) => said.push(name) });
  return said;
}

describe("disablePlugins", () => {
  it("switches off every object of a built-in, and keeps what it is configured with", async () => {
    const cluster = new MemoryCluster();
    for (const version of ["1.0.0", "2.0.0"]) cluster.add(builtIn(version));
    expect(await disabled(cluster, "cors")).toEqual(["cors-1.0.0", "cors-2.0.0"]);
    const live = await cluster.list<WasmPlugin>({ resource: wasmPluginResource, namespace });
    expect(live.map(isEnabled)).toEqual([false, false]);
    expect(live.map(({ spec }) => spec?.defaultConfig)).toEqual([{ a: 1 }, { a: 1 }]);
    expect(await disabled(cluster, "cors-1.0.0")).toEqual(["cors-1.0.0"]);
    expect(cluster.changes).toHaveLength(2);
  });

  it("does not say of a plugin that it is off when no switch of its own stops it", async () => {
    const cluster = new MemoryCluster();
    cluster.add(both);
    await expect(disabled(cluster, "both")).rejects.toMatchObject({
      code: "CLUSTER_CONFLICT",
      facts: { what: "WasmPlugin both" },
    });
    expect(cluster.changes).toEqual([]);
  });

  it("does not say so either when the API server did not take the change", async () => {
    const cluster = new MemoryCluster();
    cluster.add(builtIn("1.0.0"));
    cluster.patch = () => Promise.resolve(false);
    await expect(disabled(cluster, "cors")).rejects.toMatchObject({ code: "CLUSTER_CONFLICT" });
  });

  it("names all that are not there beside those that are, and switches none off", async () => {
    const cluster = new MemoryCluster();
    await expect(disabled(cluster, "cors")).rejects.toMatchObject({ code: "PLUGIN_ABSENT", facts: { there: "-" } });
    for (const version of ["1.0.0", "2.0.0"]) cluster.add(builtIn(version));
    await expect(disabled(cluster, "cors", "crs", "jwt")).rejects.toMatchObject({
      code: "PLUGIN_ABSENT",
      side: "cluster",
      facts: { plugins: "crs, jwt", namespace, there: "cors" },
    });
    expect(cluster.changes).toEqual([]);
  });
});
