import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { findGaps } from "../../../../src/stages/discover/discover.ts";
import { aConfigMap, aDeployment, asManifest } from "../../../rig/builders/objects.ts";

const planted = "registry.example.com/team/planted:1.0";

const deployment = (container: object): object =>
  aDeployment("d", { containers: [{ name: "c", image: "harbor/x:1", ...container }] });

describe("findGaps", () => {
  it("names what a relocation left behind, and leaves the user's own URLs to the install", () => {
    const manifest = [
      deployment({ image: "airgap.invalid/x/a:1", args: [`--i=${planted}`, "https://idp.corp.example/login"] }),
      aConfigMap({ hub: "docker.io/istio" }),
    ];
    const gaps = findGaps(asManifest(...manifest), { prefixes: ["airgap.invalid/x"] });
    expect(gaps).toMatchObject([
      {
        severity: "error",
        code: "reference.unmapped",
        facts: { where: "Deployment/ns/d", path: "/spec/template/spec/containers/0/args/0", value: planted },
      },
      { facts: { where: "ConfigMap/ns/c", path: "/data/key!/hub", value: "docker.io" } },
    ]);
  });

  const gapsOf = (hook: string): readonly string[] => {
    const pod = {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "p", annotations: { "helm.sh/hook": hook } } },
      spec: { containers: [{ name: "c", image: planted }] },
    };
    const patch = { kind: "Pod", name: "p", path: "/spec/containers/*/image", from: planted, to: "x/planted:1" };
    return findGaps(dump(pod), { prefixes: ["x"] }, { patches: [patch] }).map(({ code }) => code);
  };

  it("says of a hook that its patch needs another Helm, and nothing of what only helm test makes", () => {
    expect(gapsOf("pre-upgrade,test")).toEqual(["relocation.hook-unpatched"]);
    expect(gapsOf("test")).toEqual([]);
    expect(gapsOf("test-success, test-failure")).toEqual([]);
  });

  it("knows the registries of other references, without a tag and under any key", () => {
    const registries = ["reg.vendor.example", "reg.vendor.example:5000"];
    const strings = [
      "reg.vendor.example/team",
      "--pull-from=REG.vendor.example:5000/a/b, and more",
      "reg.vendor.example.org/x",
      "my-reg.vendor.example",
      "admin@reg.vendor.example",
    ];
    const gaps = findGaps(dump(deployment({ image: "x/a:1", args: strings })), { prefixes: ["x"], registries });
    expect(gaps.map(({ facts }) => facts)).toMatchObject([
      { value: "reg.vendor.example/team" },
      { value: "REG.vendor.example:5000/a/b" },
    ]);
  });
});
