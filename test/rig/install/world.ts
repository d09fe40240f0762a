import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";
import type { Deployment } from "kubernetes-types/apps/v1.js";

import type { Kubectl } from "../../../src/edge/process/kubectl.ts";
import type { ApplyInput } from "../../../src/stages/apply/apply.ts";
import { watchRollout } from "../../../src/stages/rollout/watch.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../cluster.ts";
import { aKubelet, type Kubelet } from "../fake-kubelet.ts";
import { aRecordedKubectl, type RecordedKubectl } from "../recorded-kubectl.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../registry-process.ts";
import { pushTinyImage } from "../tiny-image.ts";
import { tools, type HelmLine } from "../tools.ts";
import { wasmPluginCrd, writeGatewayChart } from "./gateway-chart.ts";

export const worldUnavailable = clusterUnavailable() ?? dockerRegistryUnavailable();

export const pullPassword = "pl4nted-pull-password";
export const namespace = "higress-system";
export const applyInput: ApplyInput = {
  namespace,
  pullSecret: { name: "pull", registry: "harbor.test", username: "robot", password: pullPassword },
  ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
  crds: [wasmPluginCrd],
  trust: [{ kind: "Deployment", name: "higress-gateway", container: "higress-gateway" }],
  serviceAccounts: ["default", "grafana"],
};
const workloads = ["higress-gateway", "grafana"].map((name) => ({ kind: "Deployment" as const, name }));

/** A cluster whose node pulls from a registry that wants a password, and a chart that goes there. */
export interface InstallWorld extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
  readonly recorded: RecordedKubectl;
  readonly kubectl: Kubectl;
  helm(line: HelmLine, ...args: readonly string[]): Promise<void>;
  upgrade(line: HelmLine, ...more: readonly string[]): Promise<void>;
  gateway(): Promise<Deployment>;
  /** Seconds in all, and seconds for trouble that no waiting mends. */
  rollout(seconds?: number, hopelessSeconds?: number): Promise<void>;
}

export async function anInstallWorld(): Promise<InstallWorld> {
  const home = await mkdtemp(join(tmpdir(), "higress-airgap-install-"));
  const htpasswd = { user: "robot", password: pullPassword };
  const [cluster, registry] = await Promise.all([aCluster(), aDockerRegistry({ htpasswd })]);
  const hosts = { "harbor.test": registry.url };
  const kubelet = await aKubelet({ cluster, hosts, pullBackoff: 100, crashBackoff: 100, heartbeat: 300 });
  const recorded = await aRecordedKubectl(cluster.kubeconfig);
  const chart = await writeGatewayChart(join(home, "chart"));
  const from = { url: registry.url, tag: "1", credentials: `robot:${pullPassword}`, architecture: "amd64" };
  for (const { name } of workloads) await pushTinyImage({ ...from, repository: `higress/${name}` });

  const { kubectl } = recorded;
  const helm = async (line: HelmLine, ...args: readonly string[]): Promise<void> => {
    const env = { HOME: home, KUBECONFIG: cluster.kubeconfig };
    const { helm: command } = await tools(line);
    await execa(command, [...args, "-n", namespace], { env, extendEnv: false, stdin: "ignore" });
  };
  return {
    cluster,
    kubelet,
    recorded,
    kubectl,
    helm,
    upgrade: (line, ...more) => helm(line, "upgrade", "--install", "higress", chart, ...more),
    gateway: async () =>
      (await kubectl.get<Deployment>({ resource: "deployments.apps", name: "higress-gateway", namespace })) ?? {},
    rollout: (seconds = 150, hopelessSeconds = 60) =>
      watchRollout(workloads, kubectl, {
        namespace,
        seconds,
        hopelessSeconds,
        pollSeconds: 0.3,
        report: () => undefined,
      }),
    async [Symbol.asyncDispose]() {
      await kubelet[Symbol.asyncDispose]();
      await Promise.all([cluster, registry, recorded].map((one) => one[Symbol.asyncDispose]()));
      await rm(home, { recursive: true });
    },
  };
}
