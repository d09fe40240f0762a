import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Kubectl } from "../../src/edge/process/kubectl.ts";
import type { KubeObject } from "../../src/model/kubernetes.ts";
import { SymptomTable } from "../../src/model/symptom.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../src/model/wasm-plugin.ts";
import { overlayCluster, prepareCluster } from "../../src/stages/apply/apply.ts";
import { settleLeftovers } from "../../src/stages/apply/leftovers.ts";
import { uninstall } from "../../src/stages/receipt/undo.ts";
import { aReceipt } from "../rig/receipt.ts";
import { builtInPlugin } from "../../src/stages/plugin-rollout/document.ts";
import { enablePlugins } from "../../src/stages/plugin-rollout/enable.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import {
  anInstallWorld,
  applyInput,
  namespace,
  worldUnavailable as reason,
  type InstallWorld,
} from "../rig/install/world.ts";

const { symptoms } = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);

describe.skipIf(reason)(`plugins of a cluster${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let world: InstallWorld;
  beforeAll(async () => {
    world = await anInstallWorld();
    await prepareCluster(applyInput, world.kubectl);
    await world.upgrade("4.2");
    await overlayCluster(applyInput, world.kubectl);
    await world.rollout();
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const pluginRef = (name: string) => ({ resource: wasmPluginResource, name, namespace });

  it("repoints or switches off plugins of an earlier life, and gives them back as they were", async () => {
    const leftover = (name: string, spec: object): KubeObject => ({
      apiVersion: "extensions.higress.io/v1alpha1",
      kind: "WasmPlugin",
      metadata: { name, namespace },
      spec,
    });
    const rules = {
      matchRules: [
        { domain: ["a.test"], config: { key: "sk-planted" } },
        { domain: ["b.test"], configDisable: true },
      ],
    };
    const documents = [
      leftover("carried", { url: "oci://public.test/plugins/ai-proxy:1.0.0" }),
      leftover("gone", { url: "oci://public.test/own:1", ...rules }),
      leftover("raw", { url: "https://public.test/x.wasm", pluginConfig: { key: "sk-planted" } }),
    ];
    await world.kubectl.apply(documents, { fieldManager: "console" });
    const specs = () =>
      Promise.all(
        ["carried", "gone", "raw"].map(async (name) => (await world.kubectl.get<WasmPlugin>(pluginRef(name)))?.spec),
      );
    const before = await specs();
    const { records } = await settleLeftovers(
      {
        namespace,
        isInside: (url) => url.includes("//harbor.test/"),
        targetOf: (url) => (url.includes("ai-proxy") ? "oci://harbor.test/plugins/ai-proxy:2.0.1" : undefined),
        pullSecret: "pull",
      },
      world.kubectl,
    );
    expect(records.map(({ did }) => did)).toEqual(["repointed", "disabled", "disabled"]);
    const live = await world.kubectl.list<WasmPlugin>({ resource: wasmPluginResource, namespace });
    expect(live.filter(isEnabled).map(({ metadata }) => metadata.name)).toEqual(["carried"]);
    const release = { rollback: () => Promise.resolve(), uninstall: () => Promise.resolve() };
    const receipt = aReceipt({ leftovers: [...records] });
    expect(await uninstall(receipt, { cluster: world.kubectl, release })).toEqual([]);
    expect(await specs()).toEqual(before);
    expect(await world.recorded.seen()).not.toContain("sk-planted");
    for (const { metadata } of documents) await world.kubectl.delete(pluginRef(metadata.name));
  });

  it("switches a plugin off again that crashes the gateway, gets the gateway back, and goes on", async () => {
    const bad = {
      kind: "crashes",
      exitCode: 139,
      logs: ["Caught Segmentation fault, suspect faulting address 0x0"],
    } as const;
    const script = world.kubelet.script({ namespace, container: "higress-gateway" }, async () => {
      const plugin = await world.cluster.api
        .get(`/apis/extensions.higress.io/v1alpha1/namespaces/${namespace}/wasmplugins/bad-1.0.0`)
        .catch(() => undefined);
      return plugin !== undefined && isEnabled(plugin as WasmPlugin) ? bad : undefined;
    });
    const plugins = ["bad", "good"].map((name) =>
      builtInPlugin({
        name,
        version: "1.0.0",
        namespace,
        url: `oci://harbor.test/plugins/${name}:1`,
        config: { a: 1 },
      }),
    );
    const last = new Map<string, string>();
    // Nothing is looked at before the played gateway has met what was applied, however busy the machine is.
    const cluster: Kubectl = {
      ...world.kubectl,
      apply: async (...what) => {
        await world.kubectl.apply(...what);
        await world.kubelet.poke();
      },
    };
    const findings = await enablePlugins(plugins, cluster, {
      gateway: { namespace, kind: "Deployment", name: "higress-gateway", container: "higress-gateway" },
      watchSeconds: 3,
      pollSeconds: 0.5,
      recoverSeconds: 150,
      symptoms,
      report: () => undefined,
      keep: ({ name, state }) => {
        last.set(name, state);
        return Promise.resolve();
      },
    });
    await script.undo();
    expect([...last].map(([name, state]) => `${name} ${state}`)).toEqual(["bad-1.0.0 off", "good-1.0.0 on"]);
    // The played gateway has no agent that could be asked what it has.
    expect(findings).toMatchObject([
      { code: "plugin.switched-off", facts: { plugin: "bad-1.0.0" } },
      { code: "plugin.unseen", facts: { plugin: "good-1.0.0" } },
    ]);
    expect(isEnabled((await world.kubectl.get<WasmPlugin>(pluginRef("bad-1.0.0")))!)).toBe(false);
    await world.rollout();
  });
});
