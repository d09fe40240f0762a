import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openHelm, type Helm } from "../../src/edge/process/helm.ts";
import { packObjects } from "../../src/content/chart-of-objects.ts";
import type { HelmSource } from "../../src/model/helm.ts";
import { packSampleChart } from "../rig/charts/pack.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { aRelay, type Relay } from "../rig/relay.ts";
import { withRelease, type ReleaseSecret } from "../rig/release-secret.ts";
import { helmLines, tools, type HelmLine } from "../rig/tools.ts";

const reason = clusterUnavailable();

describe.skipIf(reason)(`helm and a real API server${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let folder: string;
  let chart: string;
  let cluster: Cluster;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "helm-release-test-"));
    chart = await packSampleChart(folder);
    cluster = await aCluster();
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const kubectl = async (line: HelmLine, args: readonly string[], input?: string): Promise<string> => {
    const options = { env: { KUBECONFIG: cluster.kubeconfig, HOME: folder }, extendEnv: false };
    const { stdout } = await execa(
      (await tools(line)).kubectl,
      args,
      input === undefined ? options : { ...options, input },
    );
    return stdout;
  };
  const inNamespace = async (line: HelmLine, name: string): Promise<string> => {
    const namespace = `${name}-${line.replace(".", "-")}`;
    await kubectl(line, ["create", "namespace", namespace]);
    return namespace;
  };
  const open = async (line: HelmLine): Promise<Helm> =>
    openHelm((await tools(line)).helm, { env: { PATH: process.env["PATH"] }, kubeconfig: cluster.kubeconfig });
  /** Cluster-scoped names of the chart are one per cluster: each line gets a class of its own by uninstalling last. */
  const source = (namespace: string, ...values: HelmSource["values"]): HelmSource => ({
    chart,
    release: "higress",
    namespace,
    values: [{ "higress-console": { certmanager: { enabled: false } } }, ...values],
  });

  it.each(helmLines)("Helm %s installs, shows, upgrades, rolls back and uninstalls", async (line) => {
    const namespace = await inNamespace(line, "cycle");
    await using helm = await open(line);
    expect(await helm.status("higress", namespace)).toBeUndefined();

    const { manifest } = await helm.dryRun(source(namespace, { global: { hub: "harbor.corp/first" } }));
    expect(manifest).toContain('image: "harbor.corp/first/higress/gateway:1.0.0"');
    expect(await helm.status("higress", namespace)).toBeUndefined();

    const options = { timeoutSeconds: 150 };
    const first = await helm.upgradeInstall(source(namespace, { global: { hub: "harbor.corp/first" } }), options);
    expect(first).toMatchObject({ release: "higress", namespace, revision: 1, status: "deployed" });
    const secret = ["-n", namespace, "get", "secret", "higress-console", "-o", "jsonpath={.data.key}"];
    const key = await kubectl(line, secret);

    await helm.upgradeInstall(source(namespace, { global: { hub: "harbor.corp/second" } }), options);
    expect(await helm.getManifest("higress", namespace)).toContain("harbor.corp/second/higress/pilot:1.0.0");
    expect(await kubectl(line, secret)).toBe(key);

    // Somebody tried to help while it was down. Helm 3 asks nobody; Helm 4 finds that the field has another owner.
    await kubectl(line, ["-n", namespace, "set", "image", "deployment/higress-console", "higress-console=tried:1"]);
    if (line !== "3.17") {
      const refused = await helm.rollback("higress", namespace, 1).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: "CLUSTER_CONFLICT",
        facts: { what: `Deployment ${namespace}/higress-console` },
      });
    }
    await helm.rollback("higress", namespace, 1, { takeOver: true });
    expect(await kubectl(line, ["-n", namespace, "get", "deployment", "higress-console", "-o", "yaml"])).not.toContain(
      "tried:1",
    );
    expect(await helm.getManifest("higress", namespace)).toContain("harbor.corp/first/higress/pilot:1.0.0");
    expect(await helm.status("higress", namespace)).toMatchObject({ status: "deployed" });
    const history = await helm.history("higress", namespace);
    expect(history.map(({ revision, status }) => `${revision} ${status}`)).toEqual([
      "1 superseded",
      "2 superseded",
      ...(line === "3.17" ? ["3 deployed"] : ["3 failed", "4 deployed"]),
    ]);
    expect(history[0]).toMatchObject({ chart: expect.stringMatching(/^higress-/) as string });
    await helm.uninstall("higress", namespace);
    expect(await helm.history("higress", namespace)).toEqual([]);
    expect(await helm.status("higress", namespace)).toBeUndefined();
  });

  it.each(helmLines)("Helm %s takes over what kubectl applied, as it stands, and can go back to it", async (line) => {
    const namespace = await inNamespace(line, "applied");
    await using helm = await open(line);
    const metadata = { name: "gw", labels: { app: "gw" } };
    const written = (replicas: number, more: object) => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: { app: "gw" } },
        template: { metadata: { labels: { app: "gw" } }, spec: { containers: [{ name: "gw", image: "a" }], ...more } },
      },
    });
    const applied = written(4, { nodeSelector: { disk: "ssd" } });
    await kubectl(line, ["-n", namespace, "apply", "-f", "-"], JSON.stringify(applied));
    const live = async () => {
      const text = await kubectl(line, ["-n", namespace, "get", "deployment", "gw", "-o", "json"]);
      return (JSON.parse(text) as { spec: { replicas: number; template: { spec: { nodeSelector?: object } } } }).spec;
    };
    const packed = async (name: string, ...objects: Parameters<typeof packObjects>[1]) => {
      const path = join(folder, `${name}-${namespace}.tgz`);
      await writeFile(path, packObjects({ name: "gw", version: "1.0.0" }, objects));
      return { chart: path, release: "gw", namespace, values: [{ kept: "{{ no template }}" }] };
    };
    const options = { timeoutSeconds: 150 };
    const standing = await packed("standing", applied);
    await expect(helm.upgradeInstall(standing, options)).rejects.toThrow("HELM_FAILED");
    await helm.dryRun({ ...standing, takesOwnership: true });
    const before = await live();
    await helm.upgradeInstall({ ...standing, takesOwnership: true }, options);
    expect(await live()).toEqual(before);
    expect(await helm.values("gw", namespace, { revision: 1 })).toEqual({ kept: "{{ no template }}" });

    await helm.upgradeInstall(await packed("next", written(2, {})), { ...options, takeOver: true });
    const upgraded = await live();
    expect([upgraded.replicas, upgraded.template.spec.nodeSelector]).toEqual([2, undefined]);
    await helm.rollback("gw", namespace, 1);
    expect(await live()).toEqual(before);
    await helm.uninstall("gw", namespace);
  });

  it.each(helmLines)(
    "Helm %s refuses a field that a pod has not exactly when it applies on the server",
    async (line) => {
      const namespace = await inNamespace(line, "fields");
      await using helm = await open(line);
      const pod = { imagePullPolicy: "Always", containers: [{ name: "gw", image: "a" }] };
      const labels = { app: "gw" };
      const deployment = {
        ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "gw" } },
        spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
      };
      const packed = join(folder, `fields-${namespace}.tgz`);
      await writeFile(packed, packObjects({ name: "gw", version: "1.0.0" }, [deployment]));
      const release = { chart: packed, release: "gw", namespace, values: [] };
      const isRefused = await helm.appliesOnServer(release);
      expect(isRefused).toBe(!line.startsWith("3."));
      // Not one of them sees it before: the finding is all that does.
      expect(await helm.template(release, { includeCrds: false })).toContain("imagePullPolicy");
      await helm.dryRun(release);
      const installed = helm.upgradeInstall(release, { timeoutSeconds: 150 });
      if (isRefused) await expect(installed).rejects.toMatchObject({ code: "HELM_FAILED" });
      else expect(await installed).toMatchObject({ status: "deployed" });
    },
  );

  it.each(helmLines)("Helm %s shows the hooks and the Secrets in a dry run, for the proof reads both", async (line) => {
    const namespace = await inNamespace(line, "dry");
    await using helm = await open(line);
    const { manifest } = await helm.dryRun({ ...source(namespace), values: [] });
    expect(manifest).toContain("cert-manager-ctl:1.0.0");
    expect(manifest).toMatch(/^ {2}key: /m);
  });

  /** Its Job. Asked without a program, whose start takes seconds of those that helm is given. */
  const hookIn = (namespace: string) => {
    const path = `/apis/batch/v1/namespaces/${namespace}/jobs/cert-manager-startupapicheck`;
    return vi.waitFor(() => cluster.api.get(path), { timeout: 150_000, interval: 20 });
  };

  it.each(helmLines)("Helm %s leaves a release that can be upgraded when it is interrupted", async (line) => {
    const namespace = await inNamespace(line, "stop");
    await using helm = await open(line);
    const stop = new AbortController();
    // The hook's Job never ends: there is no node.
    const installing = helm.upgradeInstall(
      { ...source(namespace), values: [] },
      { timeoutSeconds: 300, signal: stop.signal },
    );
    installing.catch(() => undefined);
    await hookIn(namespace);
    stop.abort(new Error("enough"));
    await expect(installing).rejects.toThrow("enough");
    expect(await helm.status("higress", namespace)).toMatchObject({ status: "failed" });
    await helm.uninstall("higress", namespace);
  });

  it.each(helmLines)("Helm %s that waits for a Job is not believed when the API server went away", async (line) => {
    const namespace = await inNamespace(line, "gone");
    await using relay = await aRelay(cluster.server);
    await using helm = await openHelm((await tools(line)).helm, {
      env: { PATH: process.env["PATH"] },
      kubeconfig: await behind(relay, line),
    });
    const installing = helm.upgradeInstall({ ...source(namespace), values: [] }, { timeoutSeconds: 8 });
    installing.catch(() => undefined);
    await hookIn(namespace);
    await relay.cut();
    const failure = await installing.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CLUSTER_UNREACHABLE", facts: { action: "helm upgrade" } });
    await relay.mend();
    await helm.uninstall("higress", namespace);
  });

  /** The cluster's kubeconfig, with the relay in the API server's place. */
  async function behind(relay: Relay, line: HelmLine): Promise<string> {
    const path = join(folder, `relayed-${line}.kubeconfig`);
    const there = `https://127.0.0.1:${String(relay.port)}`;
    const config = await readFile(cluster.kubeconfig, "utf8");
    await writeFile(path, config.replaceAll(cluster.server, there), { mode: 0o600 });
    return path;
  }

  it.each(helmLines)("Helm %s is not started on a release that another operation holds", async (line) => {
    const namespace = await inNamespace(line, "busy");
    await using helm = await open(line);
    await helm.upgradeInstall(source(namespace), { timeoutSeconds: 150 });
    await makePending(line, namespace);
    const again = helm.upgradeInstall(source(namespace), { timeoutSeconds: 150 });
    await expect(again).rejects.toMatchObject({
      code: "RELEASE_BUSY",
      facts: { release: "higress", status: "pending-upgrade" },
    });
    await helm.uninstall("higress", namespace);
  });

  /** What a helm that was killed leaves behind. */
  async function makePending(line: HelmLine, namespace: string): Promise<void> {
    const name = "sh.helm.release.v1.higress.v1";
    const secret = await kubectl(line, ["-n", namespace, "get", "secret", name, "-o", "json"]);
    const pending = await withRelease(JSON.parse(secret) as ReleaseSecret, { status: "pending-upgrade" });
    await kubectl(line, ["replace", "-f", "-"], JSON.stringify(pending));
  }
});
