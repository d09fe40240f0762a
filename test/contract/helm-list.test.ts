import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHelm } from "../../src/edge/process/helm.ts";
import { packSampleChart } from "../rig/charts/pack.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { withRelease, type ReleaseSecret } from "../rig/release-secret.ts";
import { helmLines, tools } from "../rig/tools.ts";

const reason = clusterUnavailable();
const namespace = "many";

describe.skipIf(reason)(`a cluster of many releases${reason === undefined ? "" : ` (skipped: ${reason})`}`, () => {
  let folder: string;
  let cluster: Cluster;

  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const env = { KUBECONFIG: cluster.kubeconfig, HOME: folder };
    const { stdout } = await execa((await tools("4.2")).kubectl, args, {
      env,
      extendEnv: false,
      ...(input !== undefined && { input }),
    });
    return stdout;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "helm-list-test-"));
    cluster = await aCluster();
    const chart = await packSampleChart(folder);
    await kubectl(["create", "namespace", namespace]);
    await using helm = await openHelm((await tools("4.2")).helm, { env: process.env, kubeconfig: cluster.kubeconfig });
    const values = [{ "higress-console": { certmanager: { enabled: false } } }];
    await helm.upgradeInstall({ chart, release: "higress", namespace, values }, { timeoutSeconds: 150 });
    const name = "sh.helm.release.v1.higress.v1";
    const original = JSON.parse(await kubectl(["-n", namespace, "get", "secret", name, "-o", "json"])) as ReleaseSecret;
    const copies = Array.from({ length: 260 }, async (_, at) => {
      const { metadata, type, data } = await withRelease(original, { name: `r${at}` });
      const labels = { ...metadata.labels, name: `r${at}` };
      return {
        apiVersion: "v1",
        kind: "Secret",
        type,
        data,
        metadata: { name: `sh.helm.release.v1.r${at}.v1`, labels },
      };
    });
    const list = { apiVersion: "v1", kind: "List", items: await Promise.all(copies) };
    await kubectl(["-n", namespace, "create", "-f", "-"], JSON.stringify(list));
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  // helm by itself shows 256.
  it.each(helmLines)("is listed whole by Helm %s", async (line) => {
    await using helm = await openHelm((await tools(line)).helm, { env: process.env, kubeconfig: cluster.kubeconfig });
    const listed = (await helm.list()).filter((each) => each.namespace === namespace);
    expect(new Set(listed.map(({ release }) => release)).size).toBe(261);
  });
});
