import { readFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { fieldManager, type KubeObject } from "../../src/model/kubernetes.ts";
import type { Receipt } from "../../src/model/receipt.ts";
import { SymptomTable } from "../../src/model/symptom.ts";
import { wasmPluginResource } from "../../src/model/wasm-plugin.ts";
import { overlayCluster, prepareCluster } from "../../src/stages/apply/apply.ts";
import { doctor } from "../../src/stages/doctor/doctor.ts";
import { builtInPlugin } from "../../src/stages/plugin-rollout/document.ts";
import { preflightCluster } from "../../src/stages/preflight-cluster/preflight.ts";
import { keepReceipt, loadReceipts } from "../../src/stages/receipt/keep.ts";
import { beginRelease, endRelease, withMore } from "../../src/stages/receipt/receipt.ts";
import { uninstall } from "../../src/stages/receipt/undo.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import {
  anInstallWorld,
  applyInput,
  namespace,
  pullPassword,
  worldUnavailable as reason,
  type InstallWorld,
} from "../rig/install/world.ts";
import { aReceipt } from "../rig/receipt.ts";
import { aRecordedKubectl } from "../rig/recorded-kubectl.ts";
import { helmLines } from "../rig/tools.ts";

const { symptoms } = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);

describe.skipIf(reason)(`an install${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let world: InstallWorld;
  let receipt: Receipt = aReceipt();
  beforeAll(async () => {
    world = await anInstallWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());
  const hasCa = async () =>
    JSON.stringify((await world.gateway()).spec).includes("/etc/ssl/certs:/etc/higress-airgap/ca");

  it("goes from nothing to pods that pull with the secret we made, and a second run changes nothing", async () => {
    const prepared = await prepareCluster(applyInput, world.kubectl);
    expect(prepared.crds).toMatchObject([{ name: "wasmplugins.extensions.higress.io", did: "created" }]);
    await world.upgrade("3.17");
    const overlaid = await overlayCluster(applyInput, world.kubectl);
    await world.rollout();
    expect(await hasCa()).toBe(true);
    const release = { release: "higress", namespace };
    receipt = endRelease(beginRelease(withMore(receipt, prepared), release, 0), release, 1);
    receipt = withMore(receipt, overlaid);

    const before = (await world.gateway()).metadata;
    receipt = withMore(receipt, await prepareCluster(applyInput, world.kubectl));
    receipt = withMore(receipt, await overlayCluster(applyInput, world.kubectl));
    expect((await world.gateway()).metadata?.generation).toBe(before?.generation);
    expect(receipt.objects.find(({ name }) => name === namespace)?.did).toBe("created");
  });

  it.each(helmLines)("keeps its overlay through an upgrade by Helm %s", async (line) => {
    await world.upgrade(line, "--set", `replicas=${line === "4.1" ? "2" : "1"}`);
    expect(await hasCa()).toBe(true);
    await world.rollout();
  });

  it("keeps its overlay through a rollback by Helm", async () => {
    await world.helm("4.2", "rollback", "higress", "1");
    expect(await hasCa()).toBe(true);
    await world.rollout();
  });

  it("reports a field of the overlay that somebody edited, and takes it back only when told to", async () => {
    const path = "/spec/template/metadata/annotations/airgap.higress.io~1ca-sha256";
    const ref = { resource: "deployments.apps", name: "higress-gateway", namespace };
    await world.kubectl.patch(ref, [{ op: "replace", path, value: "edited" }], { fieldManager: "kubectl-edit" });
    await expect(overlayCluster(applyInput, world.kubectl)).rejects.toMatchObject({ code: "CLUSTER_CONFLICT" });
    await overlayCluster({ ...applyInput, takeOver: true }, world.kubectl);
    await world.rollout();
  });

  it("says early and exactly why a rollout cannot end", async () => {
    await world.upgrade("4.2", "--set", "tag=never-pushed");
    await expect(world.rollout(150, 1)).rejects.toMatchObject({
      code: "ROLLOUT_STUCK",
      facts: { why: expect.stringMatching(/not-mirrored: (ErrImagePull|ImagePullBackOff): .*never-pushed/) as string },
    });
    const report = await doctor(world.kubectl, { namespace, symptoms, language: "zh" });
    expect(report.findings[0]).toMatchObject({ code: "doctor.cause", facts: { symptom: "仓库中没有该镜像。" } });
    expect(report.evidence.map(({ name }) => name)).toContain("events.txt");
    await world.upgrade("4.2", "--set", "tag=1");
    await world.rollout();
  });

  it("tells a user who may do everything in one namespace only what lacks", async () => {
    await using weak = await aRecordedKubectl(await world.cluster.restrictedKubeconfig("elsewhere"));
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "x" } };
    const findings = await preflightCluster(
      {
        namespace: "elsewhere",
        release: "higress",
        render: [role],
        crds: [],
        platforms: ["linux/amd64"],
        isInside: () => true,
      },
      weak.kubectl,
    );
    const lacks = findings.flatMap(({ code, facts }) =>
      code === "cluster.forbidden" ? [facts as { verb: string; resource: string }] : [],
    );
    expect(
      lacks.filter(({ resource }) => resource === "clusterroles.rbac.authorization.k8s.io").map(({ verb }) => verb),
    ).toEqual(["get, create, patch, delete"]);
    expect(lacks.map(({ resource }) => resource)).toContain("nodes");
    expect(lacks.map(({ resource }) => resource)).not.toContain("secrets");
    await expect(prepareCluster({ ...applyInput, namespace: "another" }, weak.kubectl)).rejects.toMatchObject({
      code: "CLUSTER_FORBIDDEN",
    });
  });

  it("removes exactly what its receipt lists, read back from the cluster", async () => {
    const disk = { list: () => Promise.resolve([]), save: () => Promise.resolve() };
    const url = "oci://harbor.test/plugins/ours:1";
    await world.kubectl.apply([builtInPlugin({ name: "ours", version: "1", namespace, url })], { fieldManager });
    receipt = withMore(receipt, { plugins: [{ namespace, name: "ours-1", url, state: "on" }] });
    await keepReceipt({ ...receipt, cluster: { ...receipt.cluster, namespace } }, { disk, cluster: world.kubectl });
    await world.kubectl.apply(
      [{ apiVersion: "v1", kind: "Secret", metadata: { name: "theirs", namespace }, data: {} }],
      {
        fieldManager: "somebody",
      },
    );
    const [kept] = await loadReceipts(namespace, { disk, cluster: world.kubectl, identity: receipt.cluster });
    expect(JSON.stringify(kept)).not.toContain(pullPassword);
    const release = { rollback: () => Promise.resolve(), uninstall: () => world.helm("4.2", "uninstall", "higress") };
    expect(await uninstall(kept!, { cluster: world.kubectl, release })).toEqual([]);

    const resource = "secrets,configmaps,serviceaccounts,deployments.apps";
    const left = await world.kubectl.list<KubeObject>({ resource, namespace });
    expect(left.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual([
      "ConfigMap/kube-root-ca.crt",
      "Secret/theirs",
      "ServiceAccount/default",
    ]);
    expect(left.find(({ kind }) => kind === "ServiceAccount")).not.toHaveProperty("imagePullSecrets");
    expect(await world.kubectl.list({ resource: wasmPluginResource, namespace })).toEqual([]);
    expect(await world.kubectl.get({ resource: "namespaces", name: namespace })).toBeDefined();
  });

  it("never let the pull password be seen in arguments or environment", async () => {
    const seen = await world.recorded.seen();
    expect(seen).toContain(`--field-manager=${fieldManager}`);
    expect(seen).not.toContain(pullPassword);
    expect(seen).not.toContain(Buffer.from(`robot:${pullPassword}`).toString("base64"));
    expect(world.kubelet.problems).toEqual([]);
  });
});
