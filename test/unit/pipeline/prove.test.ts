import { expect, it } from "vitest";
import type { Digest } from "../../../src/model/digest.ts";
import { Site } from "../../../src/model/site.ts";
import type { InstallPlan, PlannedChart } from "../../../src/pipeline/install-plan.ts";
import { proveAll, renderAll } from "../../../src/pipeline/prove.ts";
import { insideOf, isInside } from "../../../src/pipeline/wanted-plugins.ts";
import { settleLeftovers } from "../../../src/stages/apply/leftovers.ts";
import { checkCluster, checkUrls } from "../../../src/stages/check/check.ts";
import { askLeftovers } from "../../../src/stages/preflight-cluster/surroundings.ts";
import { MemoryCluster } from "../../rig/memory-cluster.ts";

const site = Site.parse({
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.corp", project: "higress" },
});
const trust = [{ kind: "Deployment", name: "higress-gateway", container: "higress-gateway" }];
const chart = {
  name: "higress",
  release: "higress",
  patches: [],
  relocation: { trust, exceptions: [] },
} as unknown as PlannedChart;
const plan = {
  charts: [chart],
  mapped: [],
  yielded: [],
  prefix: "harbor.corp/higress",
  carried: new Set(["harbor.corp/higress/gateway:1"]),
  unknownReleases: [],
  target: { plugins: new Map(), namespace: "ns" },
} as unknown as InstallPlan;

const workload = (name: string, container: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ${name} }\nspec: { template: { spec: { containers: [{ name: ${container}, image: "harbor.corp/higress/gateway:1" }] } } }\n`;
const codes = (manifest: string, ca: string | undefined): readonly string[] =>
  proveAll([{ chart, manifest, crds: [], misfits: [] }], plan, site, { userPlugins: [], ca }).findings.map(
    ({ code }) => code,
  );

it("a CA that would be laid over nothing is an error: the gateway would fetch no plugin", () => {
  expect(codes(workload("edge", "envoy"), "PEM")).toEqual(["overlay.no-target"]);
  expect(codes(workload("edge", "higress-gateway"), "PEM")).toEqual([]);
  expect(codes(workload("edge", "envoy"), undefined)).toEqual([]);
});

const world = Site.parse({
  ...site,
  inside: [
    "sso.bank.example",
    "*.ops.example",
    "203.0.113.0/24",
    "[3fff::8]:8443",
    "*.银行.example",
    "LLM.bank.example:8443",
  ],
});
const hosts: readonly (readonly [string, "inside" | "outside"])[] = [
  ["harbor.corp", "inside"],
  ["HARBOR.corp", "inside"],
  ["sso.bank.example", "inside"],
  ["SSO.bank.example.:443", "inside"],
  ["a.b.ops.example:9000", "inside"],
  ["203.0.113.7:8080", "inside"],
  ["[3FFF:0::8]:8443", "inside"],
  ["pay.xn--jn2a72x.example", "inside"],
  ["支付.银行.example", "inside"],
  ["llm.bank.example:8443", "inside"],
  ["10.1.2.3", "inside"],
  ["plugins.higress-system:8080", "inside"],
  ["plugins.other.svc.bank.local", "inside"],
  ["llm.bank.example", "outside"],
  ["ops.example", "outside"],
  ["203.0.114.7", "outside"],
  ["[3fff::9]:8443", "outside"],
  ["sso.bank.example.vendor.example", "outside"],
  ["sso.bank.example@vendor.example", "outside"],
  ["plugins.other", "outside"],
  ["cdn.plugins.higress-system", "outside"],
  ["api.svc.vendor.example", "outside"],
];

it.each(hosts)("%s is %s for every step that asks", async (host, wanted) => {
  const url = `http://${host}/p.wasm`;
  const namespace = world.cluster.namespace;
  const plugin = {
    apiVersion: "extensions.higress.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name: "p", namespace },
    spec: { url },
  };
  const live = (): MemoryCluster => {
    const cluster = new MemoryCluster();
    cluster.add(plugin);
    return cluster;
  };
  const inside = insideOf(plan, world);
  const proof = (text: string, userPlugins: readonly string[] = []): number =>
    proveAll([{ chart, manifest: text, crds: [], misfits: [] }], plan, world, { userPlugins, ca: undefined }).findings
      .length;
  const settings = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { at: "${url}" }\n`;
  const ask = (): Promise<{ state: "answers" }> => Promise.resolve({ state: "answers" });
  const question = { plugin: "p", url, digest: "sha256:0" as Digest, where: "Deployment c", path: "env" };
  const judged = (address: string): boolean => isInside(address, plan, world);
  const leftovers = await settleLeftovers({ namespace, isInside: judged, targetOf: () => undefined }, live());
  const answers = {
    "proof of an object": proof(settings),
    "proof of a plugin": proof("", [JSON.stringify(plugin)]),
    "check of what runs": (await checkCluster({ namespace, inside, carried: new Set(), urls: [], ask }, live())).length,
    "URL patterns of the console": (await checkUrls({ urls: [question], inside, ask })).length,
    "leftovers before an install": leftovers.records.length + leftovers.stuck.length,
    "leftovers in preflight": askLeftovers([plugin], { isInside: judged } as Parameters<typeof askLeftovers>[1]).length,
  };
  const found = wanted === "inside" ? 0 : 1;
  expect(answers).toEqual(Object.fromEntries(Object.keys(answers).map((step) => [step, found])));
});

it("a key of the site that any chart reads is no mistake, and one that none reads is told once", async () => {
  const beside = (name: string): PlannedChart => ({
    ...chart,
    name,
    version: "1",
    file: name,
    values: [],
    own: [{ from: "site.yaml: values", layer: { image: "x", cache: 1, imagee: "y" } }],
  });
  const read: Readonly<Record<string, string>> = { store: "cache", app: "image" };
  const ports = {
    helm: { template: () => Promise.resolve(""), dryRun: () => Promise.reject(new Error("no cluster")) },
    withFile: <T>(_: string, __: Uint8Array, use: (path: string) => Promise<T>) => use("/chart.tgz"),
    chartCrds: () => Promise.resolve([]),
    chartValues: (archive: Uint8Array) =>
      Promise.resolve({ defaults: {}, read: [[read[Buffer.from(archive).toString()] ?? ""]] }),
  };
  const bundle = { readFile: (name: string) => Promise.resolve(Buffer.from(name)) };
  const charts = { ...plan, charts: [beside("store"), beside("app")] };
  const rendered = await renderAll(charts, bundle, ports, { offline: "1.30.0", signal: new AbortController().signal });
  expect(rendered.flatMap(({ misfits }) => misfits)).toMatchObject([
    { code: "chart.value-unread", facts: { chart: "store 1", path: "imagee" } },
  ]);
});
