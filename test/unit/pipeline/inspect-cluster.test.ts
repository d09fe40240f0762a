import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import type { KubeObject } from "../../../src/model/kubernetes.ts";
import { findReleases, inspectCluster, type InspectClusterPorts } from "../../../src/pipeline/inspect-cluster.ts";
import { snapshotReadme } from "../../../src/ui/snapshot.ts";
import { MemoryCluster } from "../../rig/memory-cluster.ts";

const namespace = "higress-system";
const usual = { release: "higress", namespace };
const forbidden = (): Promise<never> =>
  Promise.reject(new Failure("CLUSTER_FORBIDDEN", { action: "helm list", output: "secrets is forbidden" }));

const object = (kind: string, name: string, more: object, apiVersion = "v1"): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace, labels: { "helm.sh/chart": "higress-core-2.1.3" } },
  ...more,
});
const gateway = object(
  "Deployment",
  "higress-gateway",
  { spec: { selector: { matchLabels: { app: "gateway" } } } },
  "apps/v1",
);

function ports(objects: readonly KubeObject[], helm: Partial<InspectClusterPorts["helm"]> = {}): InspectClusterPorts {
  const cluster = new MemoryCluster();
  for (const each of objects) cluster.add(each);
  return {
    helm: {
      metadata: () => Promise.resolve(undefined),
      values: () => Promise.resolve(undefined),
      list: () => Promise.resolve([]),
      ...helm,
    },
    cluster: {
      list: (query) => cluster.list(query),
      version: () => Promise.resolve({ client: "", server: "v1.31.4+k3s1" }),
    },
    signal: new AbortController().signal,
  };
}

describe("a Higress that helm does not know", () => {
  it("has its version from labels, and its values from what hgctl wrote down", async () => {
    const profile = object("ConfigMap", "higress-profile", {
      data: { profile: "gateway: { replicas: 3 }\nvalues: { global: { token: hunter2 } }\n" },
    });
    expect(await inspectCluster(usual, ports([gateway, profile]))).toMatchObject({
      by: "hgctl",
      chart: { name: "higress", version: "2.1.3" },
      kubeVersion: "1.31.4",
      values: { "higress-core": { gateway: { replicas: 3 } }, global: {} },
      leftOut: [{ reason: "secret", where: "values global.token" }],
    });
  });

  it("has values that nobody knows where kubectl applied it, and is none where no workload stands", async () => {
    const found = await inspectCluster(usual, ports([gateway]));
    expect(found).toMatchObject({ by: "kubectl apply", values: {}, leftOut: [{ reason: "values-unknown" }] });
    expect(await inspectCluster(usual, ports([]))).toBeUndefined();
  });
});

describe("releases of Higress", () => {
  const list = () =>
    Promise.resolve([
      { release: "higress", namespace, chart: "higress-2.2.4" },
      { release: "core", namespace: "edge", chart: "higress-core-2.2.4" },
      { release: "higress-mirror", namespace: "other", chart: "nginx-1.0.0" },
    ]);

  it("are found by their chart, or by the name that is said", async () => {
    const from = ports([], { list });
    expect(await findReleases({}, from)).toEqual([usual, { release: "core", namespace: "edge" }]);
    expect(await findReleases({ namespace: "edge" }, from)).toEqual([{ release: "core", namespace: "edge" }]);
    expect(await findReleases({ release: "higress-mirror" }, from)).toEqual([
      { release: "higress-mirror", namespace: "other" },
    ]);
  });

  it("have the usual name where nobody may list them", async () => {
    expect(await findReleases({}, ports([], { list: forbidden }))).toEqual([usual]);
  });
});

it("says that what helm last tried may not be what runs", async () => {
  const about = { chart: "higress", version: "2.2.4", revision: 3, status: "failed", isServerSide: false };
  const helm = { metadata: () => Promise.resolve(about), values: () => Promise.resolve({}) };
  const snapshot = await inspectCluster(usual, ports([gateway], helm));
  expect(snapshot?.leftOut).toEqual([{ reason: "revision-undeployed", where: "higress #3 failed" }]);
});

it("names Secrets that must be made inside, and shows no letter that a terminal would obey", async () => {
  const bridge = object(
    "McpBridge",
    "default",
    { spec: { registries: [{ domain: "nacos.bank.example", authSecretName: "nacos\u001b[2J-login" }] } },
    "networking.higress.io/v1",
  );
  const snapshot = await inspectCluster(usual, ports([gateway, bridge]));
  if (snapshot === undefined) throw new Error("nothing found");
  expect(snapshot.hosts).toEqual(["nacos.bank.example"]);
  expect(snapshot.leftOut.map(({ reason }) => reason)).toContain("secret-object");
  const readme = snapshotReadme(snapshot, { names: {}, spec: "bundle.yaml" }, "en");
  expect(readme).toContain("-login (McpBridge higress-system/default)");
  expect(readme).not.toContain("\u001b");
});

it("lets nobody who names a plugin write a line of the README, and tells no signature of an address", async () => {
  const plugin = object(
    "WasmPlugin",
    "bank",
    {
      spec: {
        url: "http://files.example/p.wasm?sig=hunter2",
        defaultConfig: { "x\n  kubectl delete ns higress-system\n": { password: "hunter2" } },
      },
    },
    "extensions.higress.io/v1alpha1",
  );
  const inside = { ...plugin, spec: { ...(plugin["spec"] as object), url: "oci://registry.example/p:1" } };
  for (const each of [plugin, inside]) {
    const snapshot = await inspectCluster(usual, ports([gateway, each]));
    if (snapshot === undefined) throw new Error("nothing found");
    const readme = snapshotReadme(snapshot, { names: { chart: "a.tgz" }, spec: "bundle.yaml" }, "en");
    expect(readme).not.toMatch(/^\s*kubectl/m);
    expect(readme).toContain("WasmPlugin");
    expect(readme).toMatch(/Look through a\.tgz/);
    expect(JSON.stringify([snapshot, readme])).not.toContain("hunter2");
  }
});

it("has the routes of its own namespace where those of all may not be listed", async () => {
  const route = object("Ingress", "bank", { spec: { rules: [] } }, "networking.k8s.io/v1");
  const all = ports([gateway, route]);
  const cluster: typeof all.cluster = {
    ...all.cluster,
    list: (query) => (query.allNamespaces === true ? forbidden() : all.cluster.list(query)),
  };
  const snapshot = await inspectCluster(usual, { ...all, cluster });
  expect(snapshot?.objects.map(({ metadata }) => metadata.name)).toEqual(["bank"]);
  expect(snapshot?.unread.map(({ what }) => what)).toContain("configuration");
});
