import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openKubectl, type Kubectl } from "../../src/edge/process/kubectl.ts";
import { isFailure } from "../../src/model/failure.ts";
import { fieldManager, type KubeObject } from "../../src/model/kubernetes.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { writeKubeconfig } from "../rig/cluster/kubeconfig.ts";
import { aRecordedKubectl, type RecordedKubectl } from "../rig/recorded-kubectl.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { helmLines, tools } from "../rig/tools.ts";

const reason = clusterUnavailable();
const ours = { fieldManager };
const configMap = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default" },
  data,
});

describe.skipIf(reason)(`kubectl${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let cluster: Cluster;
  let recorded: RecordedKubectl;
  let kubectl: Kubectl;

  beforeAll(async () => {
    cluster = await aCluster();
    recorded = await aRecordedKubectl(cluster.kubeconfig);
    ({ kubectl } = recorded);
  });
  afterAll(async () => {
    await recorded[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  it.each(helmLines)("of Helm line %s applies, reads, patches and deletes", async (line) => {
    await using mine = await aRecordedKubectl(cluster.kubeconfig, line);
    const name = `cycle-${line.replace(".", "-")}`;
    const ref = { resource: "configmaps", name, namespace: "default" };
    await mine.kubectl.apply([configMap(name, { a: "1", "b.c": "2" })], ours);
    expect(await mine.kubectl.get(ref)).toMatchObject({ data: { a: "1" } });
    expect(await mine.kubectl.patch(ref, [{ op: "replace", path: "/data/b.c", value: "3" }], ours)).toBe(true);
    const failed = { op: "test", path: "/data/a", value: "other" } as const;
    expect(await mine.kubectl.patch(ref, [failed, { op: "remove", path: "/data/a" }], ours)).toBe(false);
    expect(await mine.kubectl.get(ref)).toMatchObject({ data: { a: "1", "b.c": "3" } });
    const [there, absent] = [configMap(name, { a: "9" }), configMap(`${name}-absent`, { a: "9" })];
    const text = (...objects: readonly KubeObject[]) => objects.map((object) => JSON.stringify(object)).join("\n---\n");
    const nowhere = { ...absent, metadata: { ...absent.metadata, namespace: "nowhere" } };
    expect(await mine.kubectl.present(text(absent, nowhere), {})).toEqual([]);
    expect(await mine.kubectl.present(text(there, absent, nowhere), {})).toMatchObject([{ data: { a: "1" } }]);
    const made = await mine.kubectl.dryRun(text(there, absent), { ...ours, force: true });
    expect(made).toMatchObject([{ data: { a: "9", "b.c": "3" } }, { data: { a: "9" } }]);
    expect(await mine.kubectl.dryRun(text(there), { ...ours, force: true })).toMatchObject([{ data: { a: "9" } }]);
    expect(await mine.kubectl.get(ref)).toMatchObject({ data: { a: "1" } });
    await mine.kubectl.delete(ref);
    await mine.kubectl.delete(ref);
    expect(await mine.kubectl.get(ref)).toBeUndefined();
  });

  it("reads a kind that the cluster does not know as none", async () => {
    const resource = "wasmplugins.extensions.higress.io";
    expect(await kubectl.get({ resource, name: "x", namespace: "default" })).toBeUndefined();
    expect(await kubectl.list({ resource, allNamespaces: true })).toEqual([]);
  });

  it("lists several built-in kinds in one call", async () => {
    const found = await kubectl.list<KubeObject>({ resource: "namespaces,serviceaccounts", allNamespaces: true });
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(["Namespace", "ServiceAccount"]));
  });

  it("lists the others where one of them is not known", async () => {
    const resource = "namespaces,volumesnapshots.snapshot.storage.k8s.io,serviceaccounts";
    const found = await kubectl.list<KubeObject>({ resource, allNamespaces: true });
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(["Namespace", "ServiceAccount"]));
  });

  it("says who else set a field instead of taking it, and takes it when told to", async () => {
    const ref = { resource: "configmaps", name: "shared", namespace: "default" };
    await kubectl.apply([configMap("shared", { a: "ours" })], ours);
    await kubectl.patch(ref, [{ op: "replace", path: "/data/a", value: "theirs" }], { fieldManager: "kubectl-set" });
    const failure = await kubectl.apply([configMap("shared", { a: "ours" })], ours).catch((error: unknown) => error);
    if (!isFailure(failure, "CLUSTER_CONFLICT")) throw failure;
    expect(failure.facts.what).toBe("apply ConfigMap/shared");
    expect(failure.facts.output).toMatch(/conflict with "kubectl-set" using v1: \.data\.a$/);
    await kubectl.apply([configMap("shared", { a: "ours" })], { ...ours, force: true });
    expect(await kubectl.get(ref)).toMatchObject({ data: { a: "ours" } });
  });

  it("answers every permission in order, as the user who asks", async () => {
    await using weak = await aRecordedKubectl(await cluster.restrictedKubeconfig("weak"));
    const questions = [
      { verb: "create", group: "apps", resource: "deployments", namespace: "weak" },
      { verb: "create", group: "", resource: "namespaces" },
      { verb: "get", group: "", resource: "secrets", namespace: "weak" },
    ];
    expect(await weak.kubectl.mayI(questions)).toEqual([true, false, true]);
    expect(await kubectl.mayI(questions)).toEqual([true, true, true]);
    const nodes = weak.kubectl.list({ resource: "nodes" });
    await expect(nodes).rejects.toMatchObject({ code: "CLUSTER_FORBIDDEN" });
    await expect(weak.kubectl.get({ resource: "namespaces", name: "other" })).rejects.toMatchObject({
      code: "CLUSTER_FORBIDDEN",
    });
  });

  it("waits over a CRD that has no conditions yet, on which kubectl fails", async () => {
    await using folder = await aTempDirectory();
    const script = join(folder.path, "kubectl");
    const error = "error: .status.conditions accessor error: <nil> is of the type <nil>, expected []interface{}";
    await writeFile(
      script,
      `#!/bin/sh\n[ -e '${script}.again' ] && exit 0\n: > '${script}.again'\necho '${error}' >&2\nexit 1\n`,
    );
    await chmod(script, 0o755);
    const fresh = await openKubectl(script, { env: { PATH: "/usr/bin:/bin" } });
    await expect(fresh.established(["a.b"], 30)).resolves.toBeUndefined();
  });

  it.each(helmLines)("of Helm line %s leaves nothing in the folder of a user without a home", async (line) => {
    await using folder = await aTempDirectory();
    const { kubectl: program } = await tools(line);
    const script = join(folder.path, "kubectl");
    await writeFile(script, `#!/bin/sh\ncd '${folder.path}' && exec '${program}' "$@"\n`);
    await chmod(script, 0o755);
    const homeless = await openKubectl(script, { env: { PATH: "/usr/bin:/bin" }, kubeconfig: cluster.kubeconfig });
    expect(await homeless.get({ resource: "namespaces", name: "default" })).toMatchObject({ kind: "Namespace" });
    expect(await readdir(folder.path)).toEqual(["kubectl"]);
  });

  it("tells a server that does not answer from one that refuses", async () => {
    const nowhere = await openKubectl("/usr/bin/env", { env: {} });
    await expect(nowhere.version()).rejects.toMatchObject({ code: "KUBECTL_FAILED" });
    await using folder = await aTempDirectory();
    const token = "nobody's";
    const away = { server: "https://127.0.0.1:1", caFile: cluster.caFile, token };
    await using gone = await aRecordedKubectl(await writeKubeconfig(join(folder.path, "away"), away));
    await expect(gone.kubectl.version()).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    await expect(gone.kubectl.list({ resource: "nodes" })).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
    await expect(openKubectl("/nonexistent/kubectl", { env: {} })).rejects.toMatchObject({ code: "TOOL_MISSING" });
  });

  it("knows the address of its API server without asking it, equal however it is written", async () => {
    expect(await kubectl.address()).toBe(cluster.server);
    await using folder = await aTempDirectory();
    const at = async (server: string, env: Record<string, string> = {}): Promise<string | undefined> => {
      const kubeconfig = join(folder.path, "config");
      const clusters = [{ name: "c", cluster: { server } }];
      const contexts = [{ name: "c", context: { cluster: "c", user: "" } }];
      await writeFile(kubeconfig, JSON.stringify({ kind: "Config", clusters, contexts, "current-context": "c" }));
      const program = (await tools("4.2")).kubectl;
      const options = server === "" ? {} : { kubeconfig };
      return (await openKubectl(program, { env: { HOME: folder.path, ...env }, ...options })).address();
    };
    const rancher = "https://rancher.corp.example/k8s/clusters/c-1";
    expect(await at(rancher)).toBe(rancher);
    expect(await at("HTTPS://admin:secret@RANCHER.corp.example:443/k8s/clusters/c-1/")).toBe(rancher);
    expect(await at("https://10.0.0.1:6443")).not.toBe(await at("https://10.0.0.2:6443"));
    const pod = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" };
    expect(await at("", pod)).toBe("https://[fd00::1]:6443");
    expect(await at("")).toBeUndefined();
  });

  it("keeps a Secret out of arguments, environment and answers", async () => {
    const password = "pl4nted-passw0rd";
    const auths = { "harbor.test": { username: "robot", password } };
    const secret = (data: Record<string, string>): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "pull", namespace: "default" },
      type: "kubernetes.io/dockerconfigjson",
      data,
    });
    const encoded = Buffer.from(JSON.stringify({ auths })).toString("base64");
    await kubectl.apply([secret({ ".dockerconfigjson": encoded })], ours);
    const refused = await kubectl.apply([secret({ ".dockerconfigjson": `!${password}` })], ours).catch(String);
    expect(refused).toContain("KUBECTL_FAILED");
    for (const text of [await recorded.seen(), refused]) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(encoded);
    }
  });
});
