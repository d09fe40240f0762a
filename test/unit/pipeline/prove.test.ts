import { expect, it } from "vitest";
import { Site } from "../../../src/model/site.ts";
import type { InstallPlan, PlannedChart } from "../../../src/pipeline/install-plan.ts";
import { proveAll } from "../../../src/pipeline/prove.ts";

const site = Site.parse({
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.corp", project: "higress" },
});
const trust = [{ kind: "Deployment", name: "higress-gateway", container: "higress-gateway" }];
const chart = { name: "higress", release: "higress", relocation: { trust, exceptions: [] } } as unknown as PlannedChart;
const plan = {
  charts: [chart],
  mapped: [],
  yielded: [],
  prefix: "harbor.corp/higress",
  carried: new Set(["harbor.corp/higress/gateway:1"]),
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
