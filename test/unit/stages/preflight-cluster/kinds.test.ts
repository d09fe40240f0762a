import { describe, expect, it } from "vitest";
import { askCrds, type LiveCrd } from "../../../../src/stages/preflight-cluster/surroundings.ts";

const object = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { name } });
const crd = (
  name: string,
  kind: string,
  group: string,
  versions: NonNullable<LiveCrd["spec"]>["versions"],
): LiveCrd => ({
  ...object("apiextensions.k8s.io/v1", "CustomResourceDefinition", name),
  spec: { group, names: { kind }, versions: versions ?? [] },
});
const builtIn = ["v1", "apps/v1", "batch/v1", "policy/v1", "rbac.authorization.k8s.io/v1", "networking.k8s.io/v1"];

describe("kinds that the cluster would not know", () => {
  it("are named once each, but for those that are carried, there, or Kubernetes' own", () => {
    const render = [
      object("monitoring.coreos.com/v1", "PodMonitor", "a"),
      object("monitoring.coreos.com/v1", "PodMonitor", "b"),
      object("gateway.networking.k8s.io/v1", "GatewayClass", "higress"),
      object("carried.io/v1", "Carried", "c"),
      object("there.io/v1", "There", "d"),
      object("there.io/v2", "There", "e"),
      object("there.io/v3", "There", "f"),
      ...builtIn.map((apiVersion) => object(apiVersion, "Any", "built-in")),
    ];
    const crds = [crd("carrieds.carried.io", "Carried", "carried.io", [{ name: "v1" }])];
    const live = [
      crd("theres.there.io", "There", "there.io", [
        { name: "v1", served: true },
        { name: "v2", served: false },
      ]),
    ];
    const input = { namespace: "x", release: "higress", platforms: [], isInside: () => true };
    const findings = askCrds(live, { ...input, render, crds });
    expect(findings.map(({ severity, code, facts }) => [severity, code, facts])).toEqual(
      [
        { kind: "PodMonitor monitoring.coreos.com/v1", objects: "a, b" },
        { kind: "GatewayClass gateway.networking.k8s.io/v1", objects: "higress" },
        { kind: "There there.io/v2", objects: "e" },
        { kind: "There there.io/v3", objects: "f" },
      ].map((facts) => ["error", "cluster.kind-unknown", facts]),
    );
  });
});
