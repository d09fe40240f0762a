import { describe, expect, it } from "vitest";
import { helmEnvironment } from "../../../src/edge/process/helm-call.ts";

const env = {
  ...{ PATH: "/usr/bin", HOME: "/home/op", AWS_PROFILE: "prod", HTTPS_PROXY: "http://proxy:3128" },
  ...{ HELM_NAMESPACE: "elsewhere", HELM_PLUGINS: "/home/op/plugins", HELM_DRIVER: "configmap" },
};

describe("the environment of helm", () => {
  it("is the user's where a cluster is asked: exec plugins of a kubeconfig let kubectl in by it", () => {
    expect(helmEnvironment({ env, reachesCluster: true }, "/srv/helm")).toMatchObject({
      ...{ HOME: "/home/op", AWS_PROFILE: "prod", HELM_DRIVER: "configmap", HELM_PLUGINS: "/srv/helm/plugins" },
      KUBECONFIG: "/home/op/.kube/config",
    });
  });

  it("has no settings of another helm, and where helm only renders nothing of the user's but the way out", () => {
    expect(helmEnvironment({ env, reachesCluster: true }, "/srv/helm")).not.toHaveProperty("HELM_NAMESPACE");
    const rendering = helmEnvironment({ env }, "/srv/helm");
    expect(rendering).toMatchObject({ HOME: "/srv/helm", PATH: "/usr/bin", HTTPS_PROXY: "http://proxy:3128" });
    for (const name of ["AWS_PROFILE", "HELM_NAMESPACE"]) expect(rendering).not.toHaveProperty(name);
  });
});
