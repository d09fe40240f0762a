import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isEnabled, type WasmPlugin } from "../../../../src/model/wasm-plugin.ts";
import { settleLeftovers, type LeftoverInput } from "../../../../src/stages/apply/leftovers.ts";
import { Receipt, type LeftoverRecord } from "../../../../src/model/receipt.ts";
import { uninstall } from "../../../../src/stages/receipt/undo.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aReceipt } from "../../../rig/receipt.ts";

const namespace = "higress-system";
const plugin = (name: string, spec: NonNullable<WasmPlugin["spec"]>): WasmPlugin => ({
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name, namespace },
  spec,
});
const input: LeftoverInput = {
  namespace,
  isInside: (url) => url.startsWith("oci://harbor.test/"),
  targetOf: (url) => (url.includes("/ai-proxy:") ? "oci://harbor.test/higress/plugins/ai-proxy:2.0.1" : undefined),
  pullSecret: "pull",
};
const refOf = (name: string) => ({ resource: "wasmplugins.extensions.higress.io", name, namespace });
const specOf = async (cluster: MemoryCluster, name: string) => (await cluster.get<WasmPlugin>(refOf(name)))?.spec;

/** By the way that users go back. */
const restore = (leftovers: readonly LeftoverRecord[], cluster: MemoryCluster) =>
  uninstall(aReceipt({ leftovers: [...leftovers] }), {
    cluster,
    release: { rollback: () => Promise.resolve(), uninstall: () => Promise.resolve() },
  });

describe("settleLeftovers", () => {
  it("repoints what is carried, switches the rest off, and leaves alone what points inside", async () => {
    const cluster = new MemoryCluster();
    cluster.add(plugin("a", { url: "oci://public.test/plugins/ai-proxy:1.0.0", defaultConfig: { key: "sk-planted" } }));
    cluster.add(
      plugin("b", { url: "oci://public.test/own:1", matchRules: [{ domain: ["x"], config: { k: "sk-planted" } }] }),
    );
    cluster.add(plugin("c", { url: "oci://harbor.test/higress/plugins/cors:1" }));
    const { records, stuck } = await settleLeftovers(input, cluster);
    expect(records.map(({ name, did }) => `${name} ${did}`)).toEqual(["a repointed", "b disabled"]);
    expect(stuck).toEqual([]);
    expect(await specOf(cluster, "a")).toMatchObject({
      url: "oci://harbor.test/higress/plugins/ai-proxy:2.0.1",
      imagePullSecret: "pull",
    });
    const off = await cluster.get<WasmPlugin>(refOf("b"));
    expect(isEnabled(off!)).toBe(false);
    expect(off?.spec?.matchRules?.[0]?.["config"]).toEqual({ k: "sk-planted" });
    expect(JSON.stringify(records)).not.toContain("planted");
    expect(cluster.changes).toEqual(["patch a", "patch b"]);
  });

  it("leaves alone what a receipt has no room for: it could not be undone", async () => {
    const cluster = new MemoryCluster();
    cluster.add(
      plugin("signed", { url: `https://public.test/x.wasm?signature=${"a".repeat(2000)}`, defaultConfig: {} }),
    );
    cluster.add(plugin("endless", { url: `https://public.test/x.wasm?a=${"a".repeat(5000)}`, defaultConfig: {} }));
    const { records, stuck } = await settleLeftovers(input, cluster);
    expect(records.map(({ name }) => name)).toEqual(["signed"]);
    expect(() => Receipt.parse(aReceipt({ leftovers: [...records] }))).not.toThrow();
    expect(stuck.map(({ name }) => name)).toEqual(["endless"]);
    expect(cluster.changes).toEqual(["patch signed"]);
  });

  it("turns a raw configuration, which no switch stops, into a default one that is off", async () => {
    const cluster = new MemoryCluster();
    cluster.add(plugin("raw", { url: "https://public.test/x.wasm", pluginConfig: { a: 1 } }));
    const { records } = await settleLeftovers(input, cluster);
    expect(await specOf(cluster, "raw")).toMatchObject({ defaultConfig: { a: 1 }, defaultConfigDisable: true });
    expect(await restore(records, cluster)).toEqual([]);
    expect(await specOf(cluster, "raw")).toEqual({ url: "https://public.test/x.wasm", pluginConfig: { a: 1 } });
  });

  it("names a plugin that cannot be switched off by its switches", async () => {
    const cluster = new MemoryCluster();
    cluster.add(plugin("both", { url: "oci://public.test/x:1", pluginConfig: {}, defaultConfig: {} }));
    expect(await settleLeftovers(input, cluster)).toEqual({
      records: [],
      stuck: [{ name: "both", url: "oci://public.test/x:1" }],
    });
  });

  it("names a plugin that somebody changed between being listed and being patched", async () => {
    const cluster = new MemoryCluster();
    cluster.add(plugin("a", { url: "oci://public.test/plugins/ai-proxy:1.0.0" }));
    const listed = await cluster.list<WasmPlugin>({ resource: "wasmplugins.extensions.higress.io", namespace });
    cluster.list = <T>() => Promise.resolve(listed as readonly T[]);
    const other = "oci://public.test/plugins/ai-proxy:3.0.0";
    await cluster.patch(refOf("a"), [{ op: "replace", path: "/spec/url", value: other }], { fieldManager: "kubectl" });
    expect(await settleLeftovers(input, cluster)).toEqual({
      records: [],
      stuck: [{ name: "a", url: "oci://public.test/plugins/ai-proxy:1.0.0" }],
    });
  });

  it("leaves a plugin alone when restoring that somebody repointed since, and names it", async () => {
    const cluster = new MemoryCluster();
    cluster.add(plugin("a", { url: "oci://public.test/plugins/ai-proxy:1.0.0" }));
    const { records } = await settleLeftovers(input, cluster);
    const other = "oci://harbor.test/own:2";
    await cluster.patch(refOf("a"), [{ op: "replace", path: "/spec/url", value: other }], { fieldManager: "kubectl" });
    expect(await restore(records, cluster)).toMatchObject([
      { code: "cluster.drift", facts: { object: "WasmPlugin a" } },
    ]);
    expect(await specOf(cluster, "a")).toMatchObject({ url: other });
  });

  it("gives back every plugin exactly as it was, whatever its switches were", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            url: fc.constantFrom("oci://public.test/own:1", "oci://public.test/plugins/ai-proxy:1.0.0"),
            imagePullSecret: fc.constantFrom("old", "pull"),
            defaultConfigDisable: fc.boolean(),
            defaultConfig: fc.constant({ a: 1 }),
            matchRules: fc.array(
              fc.record({ configDisable: fc.boolean(), domain: fc.constant(["d"]) }, { requiredKeys: ["domain"] }),
              { minLength: 1 },
            ),
          },
          { requiredKeys: ["url"] },
        ),
        async (spec) => {
          const cluster = new MemoryCluster();
          cluster.add(plugin("p", spec));
          const { records } = await settleLeftovers(input, cluster);
          expect(await restore(records, cluster)).toEqual([]);
          expect(await specOf(cluster, "p")).toEqual(spec);
        },
      ),
      { seed: 7, numRuns: 200 },
    ));
});
