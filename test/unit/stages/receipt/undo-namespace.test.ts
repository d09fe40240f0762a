import { beforeEach, expect, it } from "vitest";
import { Failure } from "../../../../src/model/failure.ts";
import type { KubeObject, KubeQuery } from "../../../../src/model/kubernetes.ts";
import type { Receipt } from "../../../../src/model/receipt.ts";
import { deletedBy } from "../../../../src/stages/receipt/undo-plan.ts";
import { uninstall } from "../../../../src/stages/receipt/undo.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aReceipt } from "../../../rig/receipt.ts";

const name = "higress-system";
const objects: Receipt["objects"] = [
  { resource: "namespaces", name, did: "created" },
  { resource: "secrets", namespace: name, name: "pull", did: "created" },
  { resource: "serviceaccounts", namespace: name, name: "default", did: "changed" },
];
const routes = "httproutes.gateway.networking.k8s.io";
const object = (
  apiVersion: string,
  kind: string,
  metadata: object = { name: "theirs", namespace: name },
): KubeObject => ({
  apiVersion,
  kind,
  metadata: metadata as KubeObject["metadata"],
});

let cluster: MemoryCluster;
beforeEach(() => {
  cluster = new MemoryCluster();
  cluster.add(object("v1", "Namespace", { name }));
  cluster.add(object("v1", "Secret", { name: "pull", namespace: name }));
});
const removed = async () => {
  const findings = await uninstall(aReceipt({ objects }), {
    cluster,
    release: { rollback: () => Promise.resolve(), uninstall: () => Promise.resolve() },
    namespace: true,
    customKinds: () =>
      Promise.resolve(["mcpbridges.networking.higress.io", "wasmplugins.extensions.higress.io", routes]),
  });
  const isThere = (await cluster.get({ resource: "namespaces", name })) !== undefined;
  return { isThere, left: findings.map(({ code, facts }) => [code, facts]) };
};

it("goes when nothing of it is anybody's, whatever stands elsewhere and in no namespace", async () => {
  cluster.add(object("v1", "Secret", { name: "theirs", namespace: "shop" }));
  cluster.add(object("gateway.networking.k8s.io/v1", "HTTPRoute", { name: "of-none" }));
  expect(await removed()).toEqual({ isThere: false, left: [] });
});

it.each([
  ["Secret", object("v1", "Secret")],
  ["WasmPlugin", object("extensions.higress.io/v1alpha1", "WasmPlugin")],
  ["Ingress", object("networking.k8s.io/v1", "Ingress")],
  ["HTTPRoute", object("gateway.networking.k8s.io/v1", "HTTPRoute")],
])("stays with a %s of somebody in it, on a cluster that has lost another kind since", async (kind, theirs) => {
  cluster.add(theirs);
  // As kubectl does: a list that names a kind which the cluster does not have is no list at all.
  const list = cluster.list.bind(cluster);
  cluster.list = <T>(query: KubeQuery) =>
    query.resource.includes("mcpbridges") ? Promise.resolve([]) : list<T>(query);
  const facts = { object: `namespace ${name}`, fields: `${kind}/theirs` };
  expect(await removed()).toEqual({ isThere: true, left: [["cluster.drift", facts]] });
});

it("stays where whoever asks may not look for everything", async () => {
  const list = cluster.list.bind(cluster);
  const forbidden = new Failure("CLUSTER_FORBIDDEN", { action: "get", output: "no" });
  cluster.list = <T>(query: KubeQuery) => (query.resource === routes ? Promise.reject(forbidden) : list<T>(query));
  expect(await removed()).toMatchObject({ isThere: true, left: [["cluster.drift", { fields: `${routes} ?` }]] });
});

it("is counted with what is gone only where it was asked for; what is given back is not gone", () => {
  expect(deletedBy(aReceipt({ objects }), { namespace: false })).toBe(1);
  expect(deletedBy(aReceipt({ objects }), { namespace: true })).toBe(2);
});
