import { describe, expect, it } from "vitest";
import { Site } from "../../../src/model/site.ts";
import { checkLive, type CheckPorts } from "../../../src/pipeline/check.ts";
import type { InstallPlan } from "../../../src/pipeline/install-plan.ts";
import type { Bundle } from "../../../src/content/open-bundle.ts";

const url = "https://updates.vendor.example/feed";
const exception = { kind: "ConfigMap", name: "{release}-c", path: "/data/feed", value: url, reason: "may fail" };
const chart = {
  name: "higress",
  version: "2.2.4",
  release: "r",
  namespace: "n",
  patches: [],
  relocation: { exceptions: [exception] },
};
const plan = {
  ...{ prefix: "harbor.corp/p", mapped: [], carried: new Set(), mcpServer: undefined },
  charts: [chart],
} as unknown as InstallPlan;
const bundle = { document: { items: [], blobs: [], version: "1.0.0" } } as unknown as Bundle;
const site = Site.parse({
  ...{ apiVersion: "higress-airgap/v1", kind: "Site", registry: { host: "harbor.corp", project: "p" } },
  plugins: { mode: "none" },
});

/** As helm has stored it. */
const stored = (name: string): string => `kind: ConfigMap\nmetadata: { name: ${name} }\ndata: { feed: "${url}" }\n`;
const testPod = `kind: Pod
metadata: { name: t, annotations: { "helm.sh/hook": test } }
spec: { containers: [{ name: c, image: "busybox:1" }] }
`;

function found(name: string | undefined, version = "2.2.4"): ReturnType<typeof checkLive> {
  const ports = {
    helm: {
      metadata: () => Promise.resolve(name === undefined ? undefined : { chart: "higress", version }),
      getManifest: () => Promise.resolve(stored(name ?? "")),
      getHooks: () => Promise.resolve(testPod),
    },
    cluster: { list: () => Promise.resolve([]) },
    urlAsker: () => ({ ask: () => undefined, [Symbol.asyncDispose]: () => Promise.resolve() }),
  };
  return checkLive({ bundle, site, plan }, ports as unknown as CheckPorts, new AbortController().signal);
}

describe("what stands there", () => {
  it("must be something: of nothing it would be true that nothing points outside", async () => {
    expect(await found(undefined)).toMatchObject([{ severity: "error", code: "cluster.release-absent" }]);
  });
});

describe("a release of another version than the bundle's", () => {
  it("is told before what follows from it, such as a rollback's images that are not carried", async () => {
    const facts = { release: "r", runs: "higress 2.2.1", bundle: "higress 2.2.4" };
    expect(await found("other", "2.2.1")).toMatchObject([
      { severity: "warning", code: "cluster.release-other", facts },
      { severity: "error", code: "reference.outside" },
    ]);
  });
});

describe("what helm has stored", () => {
  it("is proved as the install proved it: with the exceptions of its map, and without what only helm test makes", async () => {
    expect(await found("r-c")).toMatchObject([{ severity: "warning", code: "reference.excepted" }]);
    expect(await found("other")).toMatchObject([{ severity: "error", code: "reference.outside" }]);
  });
});
