import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { SymptomTable } from "../../src/model/symptom.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../src/model/wasm-plugin.ts";
import { enablePlugins } from "../../src/stages/plugin-rollout/enable.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import { aWasmPlugin, type PluginLayout } from "../rig/builders/plugins.ts";
import { oddModules } from "../rig/gateway/modules.ts";
import { anAnsweringPlugin, anEnvoyPlugin } from "../rig/gateway/plugins.ts";
import {
  aGatewayWorld,
  gatewayWorldUnavailable as reason,
  hosts,
  namespace,
  pullSecret,
  type GatewayWorld,
} from "../rig/gateway/world.ts";
import { code, type AFunction } from "../rig/wasm/module.ts";

const { symptoms } = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);
const configure = (body: readonly number[], results: 0 | 1 = 1): Record<string, AFunction> => ({
  proxy_on_configure: { parameters: 2, results, body },
});

interface Bad {
  readonly module?: Buffer;
  readonly layout?: PluginLayout;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly why: RegExp;
}

/** What a plugin does to the gateway, and what the product says of it. */
const bad: Readonly<Record<string, Bad>> = {
  "wants-a-call-that-is-not-there": {
    module: anEnvoyPlugin({}, { imports: [{ module: "env", name: "proxy_no_such_call" }] }),
    why: /wasm-import: .*missing import: env\.proxy_no_such_call/,
  },
  "has-a-wrong-signature": {
    module: anEnvoyPlugin(configure(code.nothing, 0)),
    why: /wasm-signature: .*Bad function signature/,
  },
  "traps-in-start": {
    module: anEnvoyPlugin({ _initialize: { body: code.trap } }),
    why: /wasm-start-trap: .*_initialize failed/,
  },
  "refuses-its-configuration": { module: anEnvoyPlugin(configure(code.answer(0))), why: /wasm-config: / },
  "has-another-checksum": {
    module: anEnvoyPlugin(),
    spec: { sha256: "0".repeat(64) },
    why: /wasm-checksum: .*which does not match/,
  },
  "has-one-layer": { module: anEnvoyPlugin(), layout: "single", why: /wasm-layout: .*invalid format/ },
  "names-a-secret-that-is-not-there": {
    module: anEnvoyPlugin(),
    spec: { imagePullSecret: "nosuch" },
    why: /wasm-pull-secret-missing: /,
  },
  "names-no-secret": { module: anEnvoyPlugin(), spec: { imagePullSecret: "" }, why: /registry-unauthorized: / },
  "comes-from-a-stranger": { spec: { url: `oci://${hosts.stranger}/xx:1` }, why: /registry-ca-unknown: / },
  "comes-with-an-expired-certificate": {
    spec: { url: `oci://${hosts.expired}/xx:1` },
    why: /registry-certificate-expired: /,
  },
  "is-not-in-the-registry": { spec: { url: `oci://${hosts.harbor}/nosuch:1` }, why: /plugin-not-in-registry: / },
  hangs: {
    module: anEnvoyPlugin(configure(code.sequence(code.loopForever, code.answer(1)))),
    why: /ready 0\/1|not delivered/,
  },
};

describe.skipIf(reason)(`plugins on a real gateway${reason === undefined ? "" : ` (not run: ${reason})`}`, () => {
  let world: GatewayWorld;
  beforeAll(async () => {
    world = await aGatewayWorld();
    const graphs = Object.entries(bad).flatMap(([name, { module, layout = "oci" }]) =>
      module === undefined ? [] : [[name, aWasmPlugin({ module, layout })] as const],
    );
    const { "a start section that logs": crash = new Uint8Array() } = await oddModules();
    await world.seed({
      ...Object.fromEntries(graphs),
      good: aWasmPlugin({ module: anAnsweringPlugin(403) }),
      harmless: aWasmPlugin({ module: anEnvoyPlugin() }),
      crash: aWasmPlugin({ module: crash }),
      late: aWasmPlugin({
        module: anEnvoyPlugin({ proxy_on_request_headers: { parameters: 3, results: 1, body: code.trap } }),
      }),
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const plugin = (name: string, spec: object = {}): WasmPlugin => ({
    apiVersion: "extensions.higress.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name, namespace },
    spec: {
      url: `oci://${hosts.harbor}/${name}:1`,
      imagePullSecret: pullSecret,
      failStrategy: "FAIL_OPEN",
      defaultConfig: { a: 1 },
      defaultConfigDisable: false,
      ...spec,
    },
  });
  const from = (name: string) => ({ url: `oci://${hosts.harbor}/${name}:1` });
  const live = async (name: string) => world.kubectl.get<WasmPlugin>({ resource: wasmPluginResource, name, namespace });
  const enable = async (...plugins: readonly WasmPlugin[]) => enableWithin({}, ...plugins);
  /** A machine that is busy takes long to deliver; only what never comes is waited for no longer than it must. */
  const enableWithin = async (
    { watchSeconds = 1, deliverSeconds = 60 }: { readonly watchSeconds?: number; readonly deliverSeconds?: number },
    ...plugins: readonly WasmPlugin[]
  ) =>
    enablePlugins(plugins, world.kubectl, {
      gateway: { namespace, kind: "Deployment", name: "higress-gateway", container: "higress-gateway" },
      watchSeconds,
      pollSeconds: 0.5,
      deliverSeconds,
      recoverSeconds: 90,
      symptoms,
      report: () => undefined,
      keep: () => Promise.resolve(),
    });
  const status = async () => (await world.gateways.ask()).status;

  it("takes a good plugin, which then answers", async () => {
    expect(await enable(plugin("good"))).toEqual([]);
    expect(await status()).toBe(403);
  });

  it.each(Object.entries(bad))(
    "that %s is switched off again, and the good one goes on",
    async (name, { spec, why }) => {
      const findings = await enableWithin(name === "hangs" ? { deliverSeconds: 10 } : {}, plugin(name, spec));
      expect(findings).toMatchObject([
        { code: "plugin.switched-off", facts: { plugin: name, why: expect.stringMatching(why) as string } },
      ]);
      expect(isEnabled((await live(name)) ?? plugin(name))).toBe(false);
      await world.ready();
      await expect.poll(status, { timeout: 150_000 }).toBe(403);
    },
  );

  it("takes the next plugin after one that hung", async () => {
    expect(await enable(plugin("next", from("harmless")))).toEqual([]);
  });

  const states = async (...names: readonly string[]) =>
    Promise.all(names.map(async (name) => isEnabled((await live(name)) ?? plugin(name))));

  it("takes the others of a group in which one cannot be fetched, and one is said to be broken", async () => {
    const group = [
      plugin("first", from("harmless")),
      plugin("missing", { ...from("nosuch"), failStrategy: "FAIL_CLOSE" }),
      plugin("broken", { ...from("traps-in-start"), failStrategy: "FAIL_CLOSE" }),
      plugin("second", from("harmless")),
    ];
    const findings = await enable(...group);
    expect(findings.map(({ facts }) => facts)).toEqual(
      expect.arrayContaining([
        { plugin: "missing", why: expect.stringMatching(/^plugin-not-in-registry: /) as string },
        { plugin: "broken", why: expect.stringMatching(/^wasm-/) as string },
      ]),
    );
    expect(findings).toHaveLength(2);
    expect(await states("first", "missing", "broken", "second")).toEqual([true, false, false, true]);
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
  });

  it("finds the one that makes Envoy crash without a word, and takes the others", async () => {
    const findings = await enable(
      ...["a", "b", "c"].map((name) => plugin(name, from(name === "b" ? "crash" : "harmless"))),
    );
    expect(findings).toMatchObject([{ code: "plugin.switched-off", facts: { plugin: "b" } }]);
    expect(await states("a", "b", "c")).toEqual([true, false, true]);
    await world.ready();
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
  });

  it("sees a plugin that breaks only under requests, when there are some while it is watched", async () => {
    // Before the good one, which answers every request.
    const late = plugin("late", { phase: "AUTHN", priority: 900 });
    const traffic = new AbortController();
    const asking = (async () => {
      while (!traffic.signal.aborted) await world.gateways.ask().catch(() => undefined);
    })();
    const findings = await enableWithin({ watchSeconds: 6 }, late);
    traffic.abort();
    await asking;
    expect(findings).toMatchObject([
      { facts: { plugin: "late", why: expect.stringMatching(/^wasm-request-trap: /) as string } },
    ]);
    expect(await states("late")).toEqual([false]);
  });
});
