import { setTimeout as delay } from "node:timers/promises";

import type { Pod } from "kubernetes-types/core/v1.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { wasmPluginResource } from "../../src/model/wasm-plugin.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import type { Plane } from "../rig/gateway/parts.ts";
import { anAnsweringPlugin, anEnvoyPlugin } from "../rig/gateway/plugins.ts";
import {
  aGatewayWorld,
  gatewayWorldUnavailable as reason,
  hosts,
  namespace,
  pullSecret,
  type GatewayWorld,
} from "../rig/gateway/world.ts";

/** What plugins may say, each of them once; most have one module. */
const specs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "says-nothing": {},
  "has-a-config": { defaultConfig: { a: 1, b: { c: ["d", true, null, 0.5] } }, failStrategy: "FAIL_OPEN" },
  "has-an-empty-config": { defaultConfig: {}, failStrategy: "FAIL_CLOSE" },
  "has-a-raw-config": { pluginConfig: { raw: "值" }, defaultConfig: { a: 1 } },
  "has-rules": {
    defaultConfig: { a: 1 },
    defaultConfigDisable: true,
    matchRules: [
      { ingress: ["default/foo"], config: { a: 2 } },
      { domain: ["*.example.com", "b.example"], config: { a: 3 }, configDisable: false },
      { service: ["s.static:80"], config: { a: 4 }, configDisable: true },
    ],
  },
  "has-rules-and-a-config": { defaultConfig: { a: 1 }, matchRules: [{ domain: ["a.example"], config: { a: 2 } }] },
  "is-off": { defaultConfig: { a: 1 }, defaultConfigDisable: true },
  "has-a-rule-of-nothing": { matchRules: [{ config: { a: 2 } }] },
  "is-authn": { phase: "AUTHN", priority: 10 },
  "is-authn-and-first": { phase: "AUTHN", priority: 900 },
  "is-authn-without-priority": { phase: "AUTHN" },
  "is-authn-and-below-zero": { phase: "AUTHN", priority: -5 },
  "is-authz-b": { phase: "AUTHZ", priority: 7 },
  "is-authz-a": { phase: "AUTHZ", priority: 7 },
  "is-stats": { phase: "STATS", priority: 1 },
  "is-in-no-phase": { phase: "UNSPECIFIED_PHASE", priority: 1, imagePullPolicy: "UNSPECIFIED_POLICY" },
  "has-a-root": { pluginName: "root" },
  "has-variables": {
    vmConfig: {
      env: [
        { name: "A", value: "1" },
        { name: "POD_NAME", valueFrom: "HOST" },
      ],
    },
  },
  "is-pulled-always": { imagePullPolicy: "Always" },
  "is-not-there-and-open": { url: `oci://${hosts.harbor}/nosuch:1`, failStrategy: "FAIL_OPEN" },
  "is-not-there-and-closed": { url: `oci://${hosts.harbor}/nosuch:1`, failStrategy: "FAIL_CLOSE" },
  "has-no-secret": { imagePullSecret: "nosuch", url: `oci://${hosts.harbor}/other:1`, failStrategy: "FAIL_OPEN" },
};
const off = ["is-off", "has-a-rule-of-nothing"];

/** What Higress adds to Istio: until a plugin is there that may fail, a filter that does nothing. */
function untilThen(discovery: Discovery | undefined): unknown {
  const type = "type.googleapis.com/envoy.extensions.filters.http.composite.v3.Composite";
  return { ...discovery, default_config: { "@type": type }, type_urls: [...(discovery?.type_urls ?? []), type] };
}

interface Sent {
  /** Names of the plugins in the order of the filter chain. */
  readonly chain: readonly string[];
  /** How Envoy finds their configurations, by name. */
  readonly discovery: Readonly<Record<string, Discovery>>;
  /** Those configurations. */
  readonly configs: Readonly<Record<string, unknown>>;
}

interface Dump {
  readonly configs: readonly {
    readonly "@type": string;
    readonly ecds_filters?: readonly { readonly ecds_filter: { readonly name: string; readonly typed_config: Json } }[];
    readonly dynamic_listeners?: readonly { readonly active_state?: { readonly listener: Json } }[];
  }[];
}
type Json = Readonly<Record<string, unknown>>;
interface Filter {
  readonly name: string;
  readonly config_discovery?: Discovery;
}
interface Discovery {
  readonly type_urls?: readonly string[];
}

const shortName = (name: string): string => name.replace(/^.*\//, "");

/** What of a dump is about plugins. */
function sentIn({ configs }: Dump): Sent {
  const listeners = configs.flatMap(({ dynamic_listeners: all = [] }) =>
    all.map((each) => each.active_state?.listener),
  );
  const chains = listeners.flatMap((listener) => httpFilters(listener)).filter((each) => each.config_discovery);
  const filters = configs.flatMap(({ ecds_filters: all = [] }) => all.map((each) => each.ecds_filter));
  return {
    chain: chains.map(({ name }) => shortName(name)),
    discovery: Object.fromEntries(chains.map(({ name, config_discovery: how = {} }) => [shortName(name), how])),
    configs: Object.fromEntries(filters.map(({ name, typed_config: config }) => [shortName(name), config])),
  };
}

function httpFilters(value: unknown): readonly Filter[] {
  if (typeof value !== "object" || value === null) return [];
  if ("http_filters" in value) return value.http_filters as readonly Filter[];
  return Object.values(value).flatMap(httpFilters);
}

async function sentBy(plane: Plane): Promise<Sent> {
  await using world = await aGatewayWorld({ plane });
  const module = aWasmPlugin({ module: anEnvoyPlugin() });
  await world.seed({ plugin: module, other: module });
  for (const [name, spec] of Object.entries(specs))
    await world.kubectl.apply([plugin(name, spec)], { fieldManager: "rig" });
  const wanted = Object.keys(specs).length - off.length;
  for (let tries = 0; tries < 300; tries += 1) {
    const sent = sentIn(await dumpOf(world));
    if (sent.chain.length === wanted && Object.keys(sent.configs).length === wanted) return sent;
    await delay(200);
  }
  throw new Error(`not all came: ${JSON.stringify(sentIn(await dumpOf(world)), undefined, 1)}`);
}

async function dumpOf({ kubectl }: GatewayWorld): Promise<Dump> {
  const [pod] = await kubectl.list<Pod>({ resource: "pods", namespace });
  const command = ["pilot-agent", "request", "GET", "config_dump"];
  const place = { namespace, pod: pod?.metadata?.name ?? "", container: "higress-gateway" };
  const answer = await kubectl.exec({ ...place, command });
  return JSON.parse(answer?.stdout ?? "") as Dump;
}

const plugin = (name: string, spec: object) => ({
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name, namespace },
  spec: { url: `oci://${hosts.harbor}/plugin:1`, imagePullSecret: pullSecret, ...spec },
});

describe.skipIf(reason)(`pilot beside our control plane${reason === undefined ? "" : ` (not run: ${reason})`}`, () => {
  let pilot: Sent;
  let ours: Sent;
  beforeAll(async () => {
    pilot = await sentBy("pilot");
    ours = await sentBy("ours");
  });

  it("puts the plugins into the chain in the same order", () => {
    expect(pilot.chain).toHaveLength(Object.keys(specs).length - off.length);
    expect(ours.chain).toEqual(pilot.chain);
  });

  it.each(Object.entries(specs).filter(([name]) => !off.includes(name)))(
    "sends the same for one that %s",
    (name, spec) => {
      const id = `${namespace}.${name}`;
      expect(ours.configs[id]).toEqual(pilot.configs[id]);
      expect(ours.discovery[id]).toEqual(
        spec["failStrategy"] === "FAIL_OPEN" ? untilThen(pilot.discovery[id]) : pilot.discovery[id],
      );
    },
  );
});

describe.skipIf(reason)(`plugins that pilot sends${reason === undefined ? "" : ` (not run: ${reason})`}`, () => {
  let world: GatewayWorld;
  beforeAll(async () => {
    world = await aGatewayWorld({ plane: "pilot" });
    await world.seed({
      forbids: aWasmPlugin({ module: anAnsweringPlugin(403) }),
      "asks-who": aWasmPlugin({ module: anAnsweringPlugin(401) }),
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const status = async () => (await world.gateways.ask()).status;
  const apply = async (name: string, spec: object) =>
    world.kubectl.apply([plugin(name, { url: `oci://${hosts.harbor}/${name}:1`, ...spec })], { fieldManager: "rig" });

  it("of one phase answer by their priority, which may change", async () => {
    await apply("forbids", { phase: "AUTHN", priority: 1 });
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
    await apply("asks-who", { phase: "AUTHN", priority: 2 });
    await expect.poll(status, { timeout: 150_000 }).toBe(401);
    await apply("forbids", { phase: "AUTHN", priority: 3 });
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
    await world.kubectl.delete({ resource: wasmPluginResource, name: "forbids", namespace });
    await expect.poll(status, { timeout: 150_000 }).toBe(401);
  });
});
