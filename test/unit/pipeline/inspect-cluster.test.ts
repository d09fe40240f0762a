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

/** What the API server says that it has. */
function discovery(path: string): object {
  const groups = ["networking.higress.io", "networking.istio.io", "apps"];
  const group = (name: string) => ({ name, versions: [{ groupVersion: `${name}/v1` }] });
  if (path === "/apis") return { groups: groups.map(group) };
  const names = path.includes("higress") ? ["mcpbridges"] : ["envoyfilters", "telemetries", "envoyfilters/status"];
  return { resources: names.map((name) => ({ name, kind: "", verbs: name.includes("/") ? ["get"] : ["list"] })) };
}

function ports(objects: readonly KubeObject[], helm: Partial<InspectClusterPorts["helm"]> = {}): InspectClusterPorts {
  const cluster = new MemoryCluster();
  for (const each of objects) cluster.add(each);
  return {
    helm: {
      metadata: () => Promise.resolve(undefined),
      values: () => Promise.resolve(undefined),
      list: () => Promise.resolve([]),
      getManifest: () => Promise.resolve(""),
      ...helm,
    },
    cluster: {
      list: (query) => cluster.list(query),
      version: () => Promise.resolve({ client: "", server: "v1.31.4+k3s1" }),
      raw: (path) => Promise.resolve(JSON.stringify(discovery(path))),
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
  const route = object("Ingress", "bank", { spec: { ingressClassName: "higress" } }, "networking.k8s.io/v1");
  const all = ports([gateway, route]);
  const cluster: typeof all.cluster = {
    ...all.cluster,
    list: (query) => (query.allNamespaces === true ? forbidden() : all.cluster.list(query)),
  };
  const snapshot = await inspectCluster(usual, { ...all, cluster });
  expect(snapshot?.objects.map(({ metadata }) => metadata.name)).toEqual(["bank"]);
  expect(snapshot?.unread.map(({ what }) => what)).toContain("configuration");
});

describe("what routes are made of", () => {
  const filter = object("EnvoyFilter", "limits", { spec: {} }, "networking.istio.io/v1");
  const ofApp = { "meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": namespace };
  const route = (name: string, ingressClassName: string, annotations = {}): KubeObject => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: "shop", annotations },
    spec: { ingressClassName },
  });
  const objects = [gateway, filter, route("cart", "higress", ofApp), route("other", "nginx")];

  it("is taken as the cluster has kinds, objects of other releases too, and told where a namespace must be made", async () => {
    const snapshot = await inspectCluster(usual, ports(objects));
    expect(snapshot?.objects.map(({ metadata }) => metadata.name)).toEqual(["limits", "cart"]);
    // Helm makes it no more than any other one does: nothing of that name would be there to be replaced.
    expect(snapshot?.settings).toEqual([]);
    expect(snapshot?.leftOut.filter(({ reason }) => reason !== "values-unknown")).toEqual([
      { reason: "namespace", where: "shop" },
      { reason: "other-class", where: "Ingress (nginx) × 1: shop/other" },
    ]);
  });

  it("is taken in part where the server has no answer for one of its kinds", async () => {
    const all = ports(objects);
    const broken = new Failure("KUBECTL_FAILED", { action: "get", exit: "1", output: "conversion webhook: refused" });
    const cluster: typeof all.cluster = {
      ...all.cluster,
      list: (query) => (query.resource.includes("telemetries") ? Promise.reject(broken) : all.cluster.list(query)),
    };
    const snapshot = await inspectCluster(usual, { ...all, cluster });
    expect(snapshot?.objects.map(({ metadata }) => metadata.name)).toEqual(["cart", "limits"]);
    expect(snapshot?.unread).toEqual([{ what: "configuration", why: "conversion webhook: refused" }]);
  });
});

it("names what people changed by hand since helm was there, and no password of an argument", async () => {
  const about = { chart: "higress", version: "2.2.4", revision: 3, status: "deployed", isServerSide: false };
  const spec = (replicas: number, args: readonly string[]) =>
    JSON.stringify({ ...gateway, spec: { replicas, template: { spec: { containers: [{ name: "a", args }] } } } });
  const helm = {
    metadata: () => Promise.resolve(about),
    values: () => Promise.resolve({}),
    getManifest: () => Promise.resolve(spec(2, ["--password=hunter1"])),
  };
  const live = JSON.parse(spec(5, ["--password=hunter2"])) as KubeObject;
  const snapshot = await inspectCluster(usual, ports([live], helm));
  expect(snapshot?.leftOut).toEqual([
    { reason: "changed-by-hand", where: "Deployment/higress-system/higress-gateway spec.replicas: 2 → 5" },
    {
      reason: "changed-by-hand",
      where: "Deployment/higress-system/higress-gateway spec.template.spec.containers[a].args[0]: *** → ***",
    },
  ]);
});
