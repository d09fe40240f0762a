import { describe, expect, it } from "vitest";
import { Failure } from "../../../../src/model/failure.ts";
import type { KubeObject, KubeQuery, Permission } from "../../../../src/model/kubernetes.ts";
import type { ClusterPreflightInput as Input } from "../../../../src/stages/preflight-cluster/input.ts";
import { preflightCluster } from "../../../../src/stages/preflight-cluster/preflight.ts";
import { permissionsFor } from "../../../../src/stages/preflight-cluster/rights.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";

const stuck = { release: "higress", namespace: "higress-system", status: "pending-upgrade", revision: 3 };

const namespace = "higress-system";
const object = (apiVersion: string, kind: string, name: string, rest: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...rest,
});
const container = (requests: object, limits: object = {}) => ({
  name: "higress-gateway",
  resources: { requests, limits },
});
const gateway = (requests: object, limits: object = {}) =>
  object("apps/v1", "Deployment", "higress-gateway", {
    spec: { replicas: 2, template: { spec: { containers: [container(requests, limits)] } } },
  });
const node = (name: string, info: object = {}, allocatable: object = { cpu: "8", memory: "16Gi" }): KubeObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  spec: {},
  status: {
    allocatable,
    nodeInfo: { operatingSystem: "linux", architecture: "amd64", kernelVersion: "5.15.0", osImage: "Debian", ...info },
  },
});
const crd = (name: string, rest: object = {}): KubeObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name, ...(rest as { metadata?: object }).metadata },
  spec: { versions: [{ name: "v1" }] },
  status: (rest as { status?: object }).status ?? { storedVersions: ["v1"] },
});

interface Answers {
  readonly denied?: (question: Permission) => boolean;
  readonly fails?: Readonly<Record<string, Failure>>;
}

async function told(input: Partial<Input>, live: readonly KubeObject[], { denied, fails = {} }: Answers = {}) {
  const cluster = new MemoryCluster();
  for (const one of live) cluster.add(one);
  const port = {
    version: () => Promise.resolve({ client: "v1.36.3", server: "v1.30.4" }),
    get: cluster.get.bind(cluster),
    list: <T>(query: KubeQuery): Promise<readonly T[]> => {
      const failure = fails[query.resource];
      return failure === undefined ? cluster.list<T>(query) : Promise.reject(failure);
    },
    mayI: (questions: readonly Permission[]) => Promise.resolve(questions.map((one) => denied?.(one) !== true)),
  };
  const whole: Input = {
    namespace,
    release: "higress",
    render: [],
    crds: [],
    platforms: ["linux/amd64"],
    isInside: (url) => url.includes("harbor.test"),
    ...input,
  };
  return preflightCluster(whole, port);
}

/** What is told beside the version, which always is. */
async function asked(...question: Parameters<typeof told>) {
  return (await told(...question)).filter(({ code }) => code !== "cluster.version");
}

describe("preflightCluster", () => {
  it("finds nothing on a cluster that has room and rights, and says its version", async () => {
    const passed: string[] = [];
    const input = {
      render: [gateway({ cpu: "2", memory: "2Gi" })],
      passed: (question: string) => passed.push(question),
    };
    expect(await told(input, [node("a")])).toEqual([
      { severity: "note", code: "cluster.version", facts: { version: "v1.30.4" } },
    ]);
    expect(passed).toEqual(expect.arrayContaining(["rights", "nodes", "capacity", "CRDs", "release"]));
  });

  it("names each right that lacks, for the render's kinds in their own scope", async () => {
    const role = { ...object("rbac.authorization.k8s.io/v1", "ClusterRole", "x"), metadata: { name: "x" } };
    const findings = await asked({ render: [role] }, [node("a")], {
      denied: ({ resource, verb }) => resource === "clusterroles" && verb !== "get",
    });
    expect(findings.map(({ facts }) => facts)).toEqual([
      { verb: "create, patch, delete", resource: "clusterroles.rbac.authorization.k8s.io", namespace: "" },
    ]);
    const render = [object("apps/v1", "Deployment", "x")];
    const questions = permissionsFor({ namespace, render, crds: [] } as unknown as Input);
    expect(questions).toContainEqual({ verb: "patch", group: "apps", resource: "deployments", namespace });
    expect(questions).toContainEqual({ verb: "list", group: "apps", resource: "daemonsets", namespace });
  });

  it("names nodes whose processor is not carried, once per kind", async () => {
    const nodes = Array.from({ length: 7 }, (_, at) => node(`arm-${String(at)}`, { architecture: "arm64" }));
    expect(await asked({}, nodes)).toMatchObject([
      {
        code: "cluster.architecture",
        facts: { architecture: "linux/arm64", nodes: "arm-0, arm-1, arm-2, arm-3, arm-4 +2" },
      },
    ]);
    expect(await asked({ platforms: ["linux/arm64/v8"] }, nodes)).toEqual([]);
  });

  it.each([
    [
      { architecture: "arm64", osImage: "Kylin Linux Advanced Server V10", kernelVersion: "4.19.90-24.4.v2101.ky10" },
      /Kylin/,
    ],
    [{ architecture: "arm64", kernelVersion: "5.14.0-70.el9.aarch64+64k" }, /64k/],
    [{ kernelVersion: "3.10.0-1160.el7.x86_64" }, /kernel 3\.10/],
  ])("hints at systems on which the gateway was seen to fail: %j", async (info, what) => {
    const findings = await asked({ platforms: ["linux/amd64", "linux/arm64"] }, [node("n", info)]);
    expect(findings).toMatchObject([
      { code: "cluster.node-hint", facts: { what: expect.stringMatching(what) as string } },
    ]);
  });

  it("adds requests up, and also sees one pod that no node takes", async () => {
    const render = [gateway({ cpu: "2500m", memory: "3Gi" })];
    const small = { cpu: "2", memory: "2Gi" };
    const findings = await asked({ render }, [node("a", {}, small), node("b", {}, small)]);
    expect(findings.map(({ facts }) => facts)).toEqual([
      { resource: "cpu", requested: "5", allocatable: "4" },
      { resource: "cpu of a pod", requested: "2.5", allocatable: "2" },
      { resource: "memory", requested: "6.0 GiB", allocatable: "4.0 GiB" },
      { resource: "memory of a pod", requested: "3.0 GiB", allocatable: "2.0 GiB" },
    ]);
  });

  it("warns when the plugins may not fit into the gateway", async () => {
    const render = [object("v1", "Service", "higress-gateway"), gateway({}, { cpu: "2", memory: "1Gi" })];
    const plugins = [{ name: "big", bytes: 200 * 1024 ** 2 }];
    expect(await asked({ render, plugins }, [node("a")])).toMatchObject([
      { severity: "warning", code: "cluster.capacity" },
    ]);
    expect(await asked({ render, plugins: [{ name: "small", bytes: 10 * 1024 ** 2 }] }, [node("a")])).toEqual([]);
  });

  it("asks for storage, load balancer and ingress class only where the render wants them", async () => {
    const render = [
      object("v1", "PersistentVolumeClaim", "loki", { spec: {} }),
      object("v1", "Service", "higress-gateway", { spec: { type: "LoadBalancer" } }),
      object("networking.k8s.io/v1", "IngressClass", "higress", {
        spec: { controller: "higress.io/higress-controller" },
      }),
    ];
    const nginx = {
      ...object("networking.k8s.io/v1", "IngressClass", "higress", { spec: { controller: "nginx" } }),
      metadata: { name: "higress" },
    };
    const findings = await asked({ render }, [node("a"), nginx]);
    expect(findings.map(({ code }) => code)).toEqual([
      "cluster.storage-class-missing",
      "cluster.load-balancer-missing",
      "cluster.ingress-class",
    ]);
    const storage = {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: "s", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    };
    const given = object("v1", "Service", "other", { status: { loadBalancer: { ingress: [{ ip: "10.0.0.9" }] } } });
    expect(await asked({ render }, [node("a"), storage, given])).toEqual([]);
  });

  it("names who else owns a CRD, stored versions that would be lost, and a Gateway API that is missing", async () => {
    const wanted = [crd("a.higress.io"), crd("b.higress.io"), crd("c.higress.io")];
    const live = [
      crd("a.higress.io", { metadata: { managedFields: [{ manager: "argocd-controller" }] } }),
      crd("b.higress.io", { status: { storedVersions: ["v1beta1"] } }),
      crd("c.higress.io", { metadata: { annotations: { "meta.helm.sh/release-name": "other" } } }),
      node("a"),
    ];
    const findings = await asked({ crds: wanted, gatewayApi: true }, live);
    const owners = findings
      .filter(({ code }) => code === "cluster.crd-foreign")
      .map(({ facts }) => ("owner" in facts ? facts.owner : ""));
    expect(owners).toEqual(["argocd-controller", "stored v1beta1", "helm other"]);
    expect(findings.filter(({ code }) => code === "cluster.crd-missing")).toHaveLength(4);
  });

  it("names another mesh, leftover plugins, and a release that hangs", async () => {
    const istiod = {
      ...object("apps/v1", "Deployment", "istiod"),
      metadata: { name: "istiod", namespace: "istio-system" },
    };
    const plugin = (name: string, url: string, off = false) =>
      object("extensions.higress.io/v1alpha1", "WasmPlugin", name, { spec: { url, defaultConfigDisable: off } });
    const live = [
      node("a"),
      istiod,
      plugin("on", "oci://public.test/x:1"),
      plugin("off", "oci://public.test/x:1", true),
      plugin("in", "oci://harbor.test/x:1"),
    ];
    const findings = await asked({ pending: [stuck] }, live);
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "warning cluster.other-istio",
      "warning cluster.leftover-plugin",
      "note cluster.leftover-plugin",
      "error cluster.release-pending",
    ]);
  });

  it("answers every other question when some may not be asked", async () => {
    const forbidden = new Failure("CLUSTER_FORBIDDEN", {
      action: "get nodes",
      output: 'nodes is forbidden: User "x" cannot list resource "nodes" in API group "" at the cluster scope',
    });
    const broken = new Failure("KUBECTL_FAILED", { action: "get", exit: "1", output: "etcd is slow" });
    const findings = await asked({ pending: [stuck], gatewayApi: true }, [], {
      fails: { nodes: forbidden, services: broken },
    });
    const codes = findings.map(({ code }) => code);
    expect(findings.filter(({ code }) => code === "cluster.forbidden").map(({ facts }) => facts)).toEqual([
      { verb: "list", resource: "nodes", namespace: "" },
    ]);
    expect(findings).toContainEqual(
      expect.objectContaining({ code: "cluster.not-asked", facts: { question: "services", why: "etcd is slow" } }),
    );
    expect(codes).toContain("cluster.crd-missing");
    expect(codes.at(-1)).toBe("cluster.release-pending");
  });

  it("stops only for a server that does not answer", async () => {
    const output = "The connection to the server 10.0.0.1:6443 was refused";
    const port = {
      version: () => Promise.reject(new Failure("CLUSTER_UNREACHABLE", { action: "version", output })),
      get: () => Promise.reject(new Error("asked")),
      list: () => Promise.reject(new Error("asked")),
      mayI: () => Promise.reject(new Error("asked")),
    };
    const input = { namespace, release: "higress", render: [], crds: [], platforms: [], isInside: () => true };
    expect(await preflightCluster(input, port)).toMatchObject([
      { code: "cluster.unreachable", facts: { server: "10.0.0.1:6443" } },
    ]);
  });
});
