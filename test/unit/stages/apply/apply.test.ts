import { beforeEach, describe, expect, it } from "vitest";
import { overlayCluster, prepareCluster, type ApplyInput } from "../../../../src/stages/apply/apply.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aDeployment, aPod } from "../../../rig/pods.ts";

const namespace = "higress-system";
const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: wasmplugins.extensions.higress.io }
`;
const input: ApplyInput = {
  namespace,
  pullSecret: { name: "pull", registry: "harbor.test", username: "robot", password: "planted" },
  ca: "PEM",
  crds: [crd],
  trust: [{ kind: "Deployment", name: "higress-gateway", container: "higress-gateway" }],
  serviceAccounts: ["default", "grafana"],
};

describe("prepareCluster", () => {
  let cluster: MemoryCluster;
  beforeEach(() => {
    cluster = new MemoryCluster();
  });

  it("makes the namespace before what goes into it, and CRDs last", async () => {
    await prepareCluster(input, cluster);
    expect(cluster.changes).toEqual([
      "apply Namespace/higress-system",
      "apply Secret/pull",
      "apply ConfigMap/higress-airgap-ca",
      "apply ServiceAccount/default",
      "apply CustomResourceDefinition/wasmplugins.extensions.higress.io",
    ]);
  });

  it("records what was not there before as created, with its uid, and no secret", async () => {
    cluster.add({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    cluster.add({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } });
    const { objects, crds } = await prepareCluster(input, cluster);
    const did = Object.fromEntries(objects.map((record) => [`${record.resource}/${record.name}`, record.did]));
    expect(did).toEqual({
      "secrets/pull": "created",
      "configmaps/higress-airgap-ca": "created",
      "serviceaccounts/default": "changed",
    });
    expect(crds).toMatchObject([{ name: "wasmplugins.extensions.higress.io", did: "created" }]);
    expect([...objects, ...crds].every(({ uid }) => uid?.startsWith("uid-"))).toBe(true);
    expect(JSON.stringify(objects)).not.toContain("planted");
  });

  it("leaves a namespace of somebody else exactly as it is", async () => {
    cluster.add({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { team: "a" } } });
    await prepareCluster(input, cluster);
    const found = await cluster.get<{ metadata: { labels: object } }>({ resource: "namespaces", name: namespace });
    expect(found?.metadata.labels).toEqual({ team: "a" });
  });

  it("reports a field that somebody changed, and takes it back only when told to", async () => {
    await prepareCluster(input, cluster);
    const ref = { resource: "configmaps", name: "higress-airgap-ca", namespace };
    await cluster.patch(ref, [{ op: "replace", path: "/data/registry-ca.crt", value: "X" }], {
      fieldManager: "kubectl-edit",
    });
    await expect(prepareCluster(input, cluster)).rejects.toMatchObject({
      code: "CLUSTER_CONFLICT",
      facts: { output: expect.stringContaining("kubectl-edit") as string },
    });
    await prepareCluster({ ...input, takeOver: true }, cluster);
    expect(await cluster.get(ref)).toMatchObject({ data: { "registry-ca.crt": "PEM" } });
  });

  it("upgrades a CRD that helm made, although helm owns its fields", async () => {
    cluster.add(
      {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "wasmplugins.extensions.higress.io", labels: { old: "1" } },
      },
      "helm",
    );
    const { crds } = await prepareCluster({ ...input, crds: [crd.replace("}", ", labels: { old: '2' } }")] }, cluster);
    expect(crds).toMatchObject([{ did: "changed" }]);
  });

  it("refuses CRD files that are no YAML, by line", async () => {
    await expect(prepareCluster({ ...input, crds: ["a: [", "b: 1"] }, cluster)).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
    });
  });
});

describe("overlayCluster", () => {
  it("lays the CA over the workload that is there, whichever kind the values made it", async () => {
    const cluster = new MemoryCluster();
    cluster.add({ ...aDeployment("higress-gateway"), kind: "DaemonSet" }, "helm");
    const { objects } = await overlayCluster(input, cluster);
    expect(objects).toMatchObject([{ resource: "daemonsets.apps", name: "higress-gateway", did: "changed" }]);
    const found = JSON.stringify(
      await cluster.get({ resource: "daemonsets.apps", name: "higress-gateway", namespace }),
    );
    expect(found).toContain("/etc/higress-airgap/ca");
  });

  it("does nothing to workloads and accounts that this release does not have", async () => {
    const cluster = new MemoryCluster();
    expect((await overlayCluster(input, cluster)).objects).toEqual([]);
    expect(cluster.changes).toEqual([]);
  });

  it("starts the pods anew that wait for an image without the secret, and no other", async () => {
    const cluster = new MemoryCluster();
    cluster.add({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "grafana", namespace } });
    const waiting = { reason: "ImagePullBackOff", message: "401 Unauthorized" };
    cluster.add(aPod({ name: "pending", account: "grafana", waiting }));
    cluster.add(aPod({ name: "running", account: "grafana" }));
    cluster.add(aPod({ name: "other-account", account: "own", waiting }));
    await overlayCluster(input, cluster);
    expect(cluster.changes.filter((change) => change.startsWith("delete"))).toEqual(["delete pods/pending"]);
  });
});
