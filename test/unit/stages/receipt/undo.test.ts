import { beforeEach, describe, expect, it } from "vitest";
import type { WasmPlugin } from "../../../../src/model/wasm-plugin.ts";
import { settleLeftovers } from "../../../../src/stages/apply/leftovers.ts";
import type { ReleasePort } from "../../../../src/stages/receipt/ports.ts";
import { planUninstall } from "../../../../src/stages/receipt/undo-plan.ts";
import { rollback, uninstall } from "../../../../src/stages/receipt/undo.ts";
import { MemoryCluster } from "../../../rig/memory-cluster.ts";
import { aReceipt } from "../../../rig/receipt.ts";

const namespace = "higress-system";
const plugin = (name: string, url: string): WasmPlugin => ({
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name, namespace },
  spec: { url, defaultConfigDisable: false },
});
const pluginRef = (name: string) => ({ resource: "wasmplugins.extensions.higress.io", name, namespace });

describe("undoing", () => {
  let cluster: MemoryCluster;
  let release: ReleasePort & { readonly calls: string[] };
  beforeEach(async () => {
    cluster = new MemoryCluster();
    release = {
      calls: [],
      rollback: (named, revision) => Promise.resolve(void release.calls.push(`rollback ${named.release} ${revision}`)),
      uninstall: (named) => Promise.resolve(void release.calls.push(`uninstall ${named.release}`)),
    };
    cluster.add({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    cluster.add({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace }, kept: 1 });
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } };
    await cluster.apply([{ ...account, imagePullSecrets: [{ name: "pull" }] }], { fieldManager: "higress-airgap" });
    cluster.add({ apiVersion: "v1", kind: "Secret", metadata: { name: "pull", namespace } });
    cluster.add({ apiVersion: "v1", kind: "Secret", metadata: { name: "theirs", namespace } });
  });
  const uidOf = async (resource: string, name: string) => {
    const inside = resource === "namespaces" ? {} : { namespace };
    return (await cluster.get<{ metadata: { uid: string } }>({ resource, name, ...inside }))!.metadata.uid;
  };
  const installed = async () =>
    aReceipt({
      helm: { revision: 1, previousRevision: 0 },
      objects: [
        {
          resource: "namespaces",
          name: namespace,
          uid: await uidOf("namespaces", namespace),
          did: "created",
        },
        { resource: "secrets", namespace, name: "pull", uid: await uidOf("secrets", "pull"), did: "created" },
        { resource: "serviceaccounts", namespace, name: "default", did: "changed" },
      ],
    });

  it("uninstall removes what the receipt lists and nothing else", async () => {
    cluster.add(plugin("ours", "oci://harbor.test/a:1"));
    cluster.add(plugin("theirs", "oci://harbor.test/b:1"));
    const plugins = [{ namespace, name: "ours", url: "oci://harbor.test/a:1", state: "on" as const }];
    expect(await uninstall({ ...(await installed()), plugins }, { cluster, release })).toEqual([]);
    expect(release.calls).toEqual(["uninstall higress"]);
    expect(await cluster.get({ resource: "secrets", name: "pull", namespace })).toBeUndefined();
    expect(await cluster.get({ resource: "secrets", name: "theirs", namespace })).toBeDefined();
    expect(await cluster.get(pluginRef("ours"))).toBeUndefined();
    expect(await cluster.get(pluginRef("theirs"))).toBeDefined();
    const account = await cluster.get<{ kept: number }>({ resource: "serviceaccounts", name: "default", namespace });
    expect(account).toMatchObject({ kept: 1 });
    expect(account).not.toHaveProperty("imagePullSecrets");
    expect(await cluster.get({ resource: "namespaces", name: namespace })).toBeDefined();
  });

  it("uninstall leaves a namesake that somebody made since, and names it", async () => {
    const receipt = await installed();
    await cluster.delete({ resource: "secrets", name: "pull", namespace });
    cluster.add({ apiVersion: "v1", kind: "Secret", metadata: { name: "pull", namespace } });
    const findings = await uninstall(receipt, { cluster, release });
    expect(findings).toMatchObject([{ code: "cluster.drift", facts: { object: "secrets pull" } }]);
    expect(await cluster.get({ resource: "secrets", name: "pull", namespace })).toBeDefined();
  });

  it("uninstall removes CRDs that we made, when asked for, and never those that were there", async () => {
    for (const name of ["ours.x.io", "theirs.x.io"])
      cluster.add({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name } });
    const resource = "customresourcedefinitions.apiextensions.k8s.io";
    const crds = [
      { resource, name: "ours.x.io", did: "created" as const },
      { resource, name: "theirs.x.io", did: "changed" as const },
    ];
    await uninstall(aReceipt({ crds }), { cluster, release });
    expect(await cluster.get({ resource, name: "ours.x.io" })).toBeDefined();
    await uninstall(aReceipt({ crds }), { cluster, release, crds: true });
    expect(await cluster.get({ resource, name: "ours.x.io" })).toBeUndefined();
    expect(await cluster.get({ resource, name: "theirs.x.io" })).toBeDefined();
  });

  it("rollback brings the revision and the plugins back, and removes what only the later install made", async () => {
    cluster.add(plugin("upgraded", "oci://harbor.test/a:2"));
    cluster.add(plugin("new", "oci://harbor.test/n:2"));
    const before = aReceipt({
      helm: { revision: 4, previousRevision: 3 },
      plugins: [{ namespace, name: "upgraded", url: "oci://harbor.test/a:1", state: "on" }],
    });
    const current = aReceipt({
      ...(await installed()),
      number: 2,
      helm: { revision: 5, previousRevision: 4 },
      plugins: [
        { namespace, name: "upgraded", url: "oci://harbor.test/a:2", state: "on" },
        { namespace, name: "new", url: "oci://harbor.test/n:2", state: "on" },
      ],
    });
    current.objects = current.objects.filter(({ resource }) => resource === "secrets");
    expect(await rollback(current, before, { cluster, release })).toEqual([]);
    expect(release.calls).toEqual(["rollback higress 4"]);
    expect((await cluster.get<WasmPlugin>(pluginRef("upgraded")))?.spec?.url).toBe("oci://harbor.test/a:1");
    expect(await cluster.get(pluginRef("new"))).toBeUndefined();
    expect(await cluster.get({ resource: "secrets", name: "pull", namespace })).toBeUndefined();
  });

  it("leaves a release alone that helm was not begun with: it may be somebody else's", async () => {
    const ended = aReceipt({ state: "failed" });
    expect(planUninstall(ended, { crds: false, namespace: false })).toEqual([]);
    await uninstall(ended, { cluster, release });
    expect(release.calls).toEqual([]);
  });

  it("goes back and removes chart by chart, the last one first", async () => {
    const one = (name: string, revision: number) => ({ release: name, namespace, revision, previousRevision: 0 });
    const before = aReceipt({ releases: [one("base", 1), one("console", 2)] });
    const current = aReceipt({ number: 2, releases: [one("base", 3), one("console", 5), one("extra", 1)] });
    await rollback(current, before, { cluster, release });
    expect(release.calls).toEqual(["uninstall extra", "rollback console 2", "rollback base 1"]);
    release.calls.length = 0;
    await uninstall(current, { cluster, release });
    expect(release.calls).toEqual(["uninstall extra", "uninstall console", "uninstall base"]);
  });

  it("rollback brings a plugin back that was off, and it stays off", async () => {
    cluster.add(plugin("p", "oci://harbor.test/a:2"));
    const record = { namespace, name: "p" };
    const before = aReceipt({ plugins: [{ ...record, url: "oci://harbor.test/a:1", state: "off" }] });
    const current = aReceipt({ plugins: [{ ...record, url: "oci://harbor.test/a:2", state: "on" }] });
    expect(await rollback(current, before, { cluster, release })).toEqual([]);
    const spec = { url: "oci://harbor.test/a:1", defaultConfigDisable: true };
    expect(await cluster.get(pluginRef("p"))).toMatchObject({ spec });
  });

  it("undoes from the outside in: plugins before the gateway that runs them, and what came last first", async () => {
    cluster.add(plugin("ours", "oci://harbor.test/a:1"));
    cluster.add(plugin("old", "oci://outside.test/b:1"));
    cluster.add({ apiVersion: "v1", kind: "Secret", metadata: { name: "later", namespace } });
    const { records: leftovers } = await settleLeftovers(
      { namespace, isInside: (url) => url.includes("harbor.test"), targetOf: () => "oci://harbor.test/b:1" },
      cluster,
    );
    const made = await installed();
    const receipt = aReceipt({
      ...made,
      leftovers: [...leftovers],
      objects: [...made.objects, { resource: "secrets", namespace, name: "later", did: "created" }],
      plugins: [{ namespace, name: "ours", url: "oci://harbor.test/a:1", state: "on" }],
    });
    const did = cluster.changes.length;
    const order: string[] = [];
    const helm: ReleasePort = {
      ...release,
      uninstall: () => Promise.resolve(void order.push(...cluster.changes.slice(did), "helm uninstall")),
    };
    expect(await uninstall(receipt, { cluster, release: helm })).toEqual([]);
    const before = order.length - 1;
    expect([...order, ...cluster.changes.slice(did + before)]).toEqual([
      "delete wasmplugins.extensions.higress.io/ours",
      "patch old",
      "helm uninstall",
      "delete secrets/later",
      "apply ServiceAccount/default",
      "delete secrets/pull",
      "delete configmaps/higress-airgap-receipt",
    ]);
  });

  it("rollback leaves leftovers settled that were so before, and gives back those that came later", async () => {
    const outside = { namespace, isInside: () => false, targetOf: () => undefined };
    cluster.add(plugin("early", "oci://outside.test/a:1"));
    const early = await settleLeftovers(outside, cluster);
    cluster.add(plugin("late", "oci://outside.test/b:1"));
    const late = await settleLeftovers(outside, cluster);
    const before = aReceipt({ leftovers: [...early.records] });
    const current = aReceipt({ leftovers: [...early.records, ...late.records] });
    expect(await rollback(current, before, { cluster, release })).toEqual([]);
    expect(await cluster.get(pluginRef("early"))).toMatchObject({ spec: { defaultConfigDisable: true } });
    expect(await cluster.get(pluginRef("late"))).toMatchObject({ spec: { defaultConfigDisable: false } });
  });

  it("leaves a namesake of a leftover alone that somebody made since, switched off, and names it", async () => {
    cluster.add(plugin("old", "oci://outside.test/b:1"));
    const { records } = await settleLeftovers({ namespace, isInside: () => false, targetOf: () => undefined }, cluster);
    await cluster.delete(pluginRef("old"));
    const theirs = {
      ...plugin("old", "oci://own.test/b:1"),
      spec: { url: "oci://own.test/b:1", defaultConfigDisable: true },
    };
    cluster.add(theirs);
    const findings = await uninstall(aReceipt({ leftovers: [...records] }), { cluster, release });
    expect(findings).toMatchObject([{ code: "cluster.drift", facts: { object: "WasmPlugin old" } }]);
    expect(await cluster.get(pluginRef("old"))).toMatchObject({ spec: theirs.spec });
  });

  it("leaves a plugin alone that somebody pointed elsewhere, and names it", async () => {
    cluster.add(plugin("p", "oci://harbor.test/own:9"));
    const plugins = [{ namespace, name: "p", url: "oci://harbor.test/a:2", state: "on" as const }];
    const findings = await uninstall(aReceipt({ plugins }), { cluster, release });
    expect(findings).toMatchObject([{ code: "cluster.drift", facts: { object: "WasmPlugin p" } }]);
    expect(await cluster.get(pluginRef("p"))).toBeDefined();
  });
});
