import { execa } from "execa";
import type { Deployment } from "kubernetes-types/apps/v1.js";
import { beforeAll, describe, expect, it } from "vitest";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { aFarSide, farSideUnavailable, kubectl, namespace, said, succeeds, type FarSide } from "../rig/far-side.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;

describe.skipIf(unavailable !== undefined)(`the life of a release${because}`, () => {
  const carried = { first: "", second: "" };

  beforeAll(async () => {
    const [one, two] = [await aTempDirectory(), await aTempDirectory()];
    carried.first = await aBuiltBundle({ folder: one.path });
    carried.second = await aBuiltBundle({ folder: two.path, spec: () => ({ version: "2.2.5" }) });
    return async () => {
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
    };
  });

  it("is installed, upgraded, taken back to what it was, and still passes the check of the first", async () => {
    await using far = await aFarSide({ helm: "4.1" });
    await succeeds(far, ["install", carried.first]);
    await succeeds(far, ["check", carried.first]);
    const healthy = await succeeds(far, ["doctor"]);
    expect(healthy.stderr).toBe("");
    expect(await gatewayReplicas(far)).toBe(1);

    await far.writeSite({ values: { "higress-core": { gateway: { replicas: 2 } } } });
    const upgraded = await succeeds(far, ["install", carried.second]);
    expect(upgraded.stderr).toContain("release higress: higress 2.2.4 (#1, deployed) → higress 2.2.4");
    expect(await gatewayReplicas(far)).toBe(2);
    expect(await revisions(far)).toEqual(["superseded", "deployed"]);

    const dry = await succeeds(far, ["rollback", "--dry-run"]);
    expect(dry.stderr).toContain("release higress: back to revision 1");
    const unasked = await far.run(["rollback"]);
    expect(unasked, said(unasked)).toMatchObject({ exitCode: 2 });
    expect(await gatewayReplicas(far)).toBe(2);

    // Somebody tried to help while it was down: whose field that is now is said, and what goes over it.
    await kubectl(far, "set", "image", "deployment/higress-console", "higress-console=docker.io/tried/this:1");
    const refused = await far.run(["rollback", "--yes"]);
    expect(refused, said(refused)).toMatchObject({ exitCode: 1 });
    expect(refused.stderr).toContain(`Deployment ${namespace}/higress-console`);
    expect(refused.stderr).toContain("--force-conflicts");
    const back = await succeeds(far, ["rollback", "--yes", "--force-conflicts"]);
    expect(back.stderr).toContain("2.2.4");
    expect(await gatewayReplicas(far)).toBe(1);
    expect(await revisions(far)).toEqual(["superseded", "superseded", "failed", "deployed"]);
    await far.writeSite();
    await succeeds(far, ["check", carried.first]);
  });

  it("is told when the console would write a URL that does not answer, or one outside", async () => {
    await using far = await aFarSide({ helm: "4.2" });
    await succeeds(far, ["install", carried.first]);
    const variable = "HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_NAMESPACE";
    await kubectl(far, "set", "env", "deployment/higress-console", `${variable}=elsewhere`);
    const wrong = await far.run(["check", carried.first]);
    expect(wrong, said(wrong)).toMatchObject({ exitCode: 3 });
    const url = "oci://harbor.airgap.example:8443/higress/elsewhere/key-auth:2.0.1";
    expect(wrong.stderr).toContain(`key-auth: ${url} answers 404`);

    await kubectl(
      far,
      "set",
      "env",
      "deployment/higress-console",
      `${variable}-`,
      "HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY-",
    );
    const outside = await far.run(["check", carried.first]);
    expect(outside, said(outside)).toMatchObject({ exitCode: 3 });
    expect(outside.stderr).toContain("Deployment higress-console still names registry.higress.example");
  });

  it("is held against what others changed in it, and takes it back only when told", async () => {
    await using far = await aFarSide({ helm: "4.1" });
    await succeeds(far, ["install", carried.first]);
    // Our overlay owns this field: the CA that the gateway trusts.
    await kubectl(far, "set", "image", "deployment/higress-gateway", "higress-gateway=docker.io/somebody/else:1");
    const drifted = await far.run(["check", carried.first]);
    expect(drifted, said(drifted)).toMatchObject({ exitCode: 3 });
    expect(drifted.stderr).toContain("docker.io/somebody/else:1");

    const refused = await far.run(["install", carried.first]);
    expect(refused.exitCode, said(refused)).not.toBe(0);
    expect(said(refused)).toMatch(/CLUSTER_CONFLICT|cluster\.drift/);
    await succeeds(far, ["install", carried.first, "--force-conflicts"]);
    expect(await gatewayImage(far)).toContain("harbor.airgap.example:8443/higress/");
  });

  it("goes as it came: what the receipt lists is removed, what others made stays", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    await kubectl(far, "create", "namespace", namespace);
    await kubectl(far, "create", "configmap", "theirs", "--from-literal=a=b");
    await kubectl(far, "create", "deployment", "theirs", "--image=registry.example/theirs:1", "--replicas=0");
    await succeeds(far, ["install", carried.first]);
    // Switched on by hand, after the install: it is the receipt's too.
    const misspelt = await far.run(["plugins", "enable", carried.first, "--name", "keyauth"]);
    expect(misspelt, said(misspelt)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("did you mean key-auth?") as string,
    });
    const enabled = await succeeds(far, ["plugins", "enable", carried.first, "--name", "key-auth"]);
    // Each wait is said before it begins.
    expect(enabled.stderr).toMatch(/▸ ask registry and cluster\n[^]*▸ switch plugins on\n[^]*✓ switch plugins on/);
    expect(await kubectl(far, "get", "wasmplugins", "-o", "name")).toContain("key-auth");
    const unasked = await far.run(["uninstall"]);
    expect(unasked, said(unasked)).toMatchObject({ exitCode: 2 });
    expect(unasked.stderr).toMatch(/release higress: uninstalled\n[^]*NOT_CONFIRMED/);
    const dry = await succeeds(far, ["uninstall", "--dry-run"]);
    expect(dry.stderr).toContain("deleted: secrets higress-system/higress-airgap-pull");
    expect(await revisions(far)).toEqual(["deployed"]);
    const gone = await succeeds(far, ["uninstall", "--yes"]);
    expect(gone.stderr).not.toContain("warning");
    expect(gone.stderr).toMatch(/^ *higress is gone, and \d+ objects of ours with it$/m);
    expect(await kubectl(far, "get", "wasmplugins", "-o", "name")).toBe("");

    const left = await kubectl(
      far,
      "get",
      "deployments,configmaps,services,serviceaccounts,secrets,jobs",
      "-o",
      "name",
    );
    expect(left.split("\n").sort()).toEqual([
      "configmap/kube-root-ca.crt",
      "configmap/theirs",
      "deployment.apps/theirs",
      "serviceaccount/default",
    ]);
    const crds = await kubectl(far, "get", "crds", "-o", "name");
    expect(crds).toContain("wasmplugins.extensions.higress.io");
    const account = JSON.parse(await kubectl(far, "get", "serviceaccount", "default", "-o", "json")) as object;
    expect(account).not.toHaveProperty("imagePullSecrets");
    expect(await kubectl(far, "get", "clusterroles", "-o", "name")).not.toContain("higress-controller");

    const again = await far.run(["uninstall", "--yes"]);
    expect(again, said(again)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/all of them have been undone \[RECEIPT_MISSING\]/) as string,
    });
  });

  it("takes the CRDs with it when told", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    await succeeds(far, ["install", carried.first]);
    await succeeds(far, ["uninstall", "--crds", "--namespace-too", "--yes"]);
    expect(await kubectl(far, "get", "crds", "-o", "name")).not.toContain("higress");
  });
});

async function gateway(far: FarSide): Promise<Deployment> {
  return JSON.parse(await kubectl(far, "get", "deployment", "higress-gateway", "-o", "json")) as Deployment;
}

async function gatewayReplicas(far: FarSide): Promise<number | undefined> {
  return (await gateway(far)).spec?.replicas;
}

async function gatewayImage(far: FarSide): Promise<string | undefined> {
  return (await gateway(far)).spec?.template.spec?.containers[0]?.image;
}

async function revisions(far: FarSide): Promise<readonly string[]> {
  const args = ["history", "higress", "-n", namespace, "-o", "json", "--kubeconfig", far.cluster.kubeconfig];
  const { stdout } = await execa(far.tools.helm, args);
  return (JSON.parse(stdout) as { status: string }[]).map(({ status }) => status);
}
