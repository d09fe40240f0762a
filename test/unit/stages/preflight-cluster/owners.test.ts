import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../src/model/kubernetes.ts";
import { askOwners } from "../../../../src/stages/preflight-cluster/input.ts";
import { askRelease } from "../../../../src/stages/preflight-cluster/surroundings.ts";

const namespace = "higress-system";

function anIngressClass(name: string, annotations: Readonly<Record<string, string>> = {}, labels = {}): KubeObject {
  return { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata: { name, annotations, labels } };
}

function marked(name: string, release: string): KubeObject {
  const annotations = { "meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace };
  return anIngressClass(name, annotations, { "app.kubernetes.io/managed-by": "Helm" });
}

const account = (place: object): KubeObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "gw", ...place },
});
const hook = anIngressClass("hook", { "helm.sh/hook": "pre-install" });

describe("whose an object is that a new release would make", () => {
  it("is asked before everything is pushed: helm would refuse it afterwards", () => {
    const render = ["mine", "theirs", "nobodys", "new"].map((name) => anIngressClass(name));
    const standing = [marked("mine", "higress"), marked("theirs", "gateway"), anIngressClass("nobodys"), hook];
    // A template may leave its namespace to helm; the API server never does.
    const found = askOwners({ release: "higress", namespace, render: [...render, hook, account({})] }, [
      ...standing,
      account({ namespace }),
    ]);
    expect(found.map(({ severity, code, facts }) => [severity, code, facts])).toMatchObject([
      ["error", "cluster.object-foreign", { objects: "IngressClass/theirs", owner: `${namespace}/gateway` }],
      ["error", "cluster.object-foreign", { objects: "IngressClass/nobodys, ServiceAccount/gw", owner: "" }],
    ]);
  });

  it("is nothing to tell where all is its own, or nothing is there", () => {
    const release = { release: "higress", namespace, render: [anIngressClass("mine"), account({})] };
    expect(askOwners(release, [])).toEqual([]);
    expect(askOwners(release, [marked("mine", "higress"), account({ namespace: "elsewhere" })])).toEqual([]);
  });
});

describe("a field that a container has and a pod has not", () => {
  it.each([
    [true, "error"],
    [false, "warning"],
    [undefined, "warning"],
  ])("is told; applied on the server (%s): %s", async (isServerSide, severity) => {
    const spec = { containers: [{ name: "a", image: "a" }], imagePullPolicy: "Always", hostNetwork: true };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "a" },
      spec: { template: { spec } },
    };
    const about = { release: "higress", namespace, crds: [], platforms: [], isInside: () => true };
    const applied = isServerSide === undefined ? {} : { appliesOnServer: () => Promise.resolve(isServerSide) };
    const facts = { where: "Deployment/a", path: "/spec/template/spec/imagePullPolicy", field: "imagePullPolicy" };
    expect(await askRelease({ ...about, render: [deployment], ...applied })).toEqual([
      { severity, code: "workload.field-misplaced", facts },
    ]);
  });
});
