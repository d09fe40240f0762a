import { aCluster, clusterUnavailable } from "../../test/rig/cluster.ts";
import { aKubelet } from "../../test/rig/fake-kubelet.ts";

export interface DemoCluster extends AsyncDisposable {
  readonly kubeconfig: string;
  /** Every image that a pod was started with, in order. */
  pulled(): readonly string[];
}

/**
 * A throw-away control plane whose nodes are simulated, where the tests have set one up; else none. Never the cluster of
 * whoever runs the demo: what is installed here has no programs in it, and its registry is on this machine only.
 */
export async function aDemoCluster(hosts: Readonly<Record<string, string>>): Promise<DemoCluster | undefined> {
  if (clusterUnavailable() !== undefined) return undefined;
  const cluster = await aCluster();
  try {
    const kubelet = await aKubelet({ cluster, hosts });
    return {
      kubeconfig: cluster.kubeconfig,
      pulled: () => kubelet.pulled.map(({ image }) => image),
      async [Symbol.asyncDispose]() {
        await kubelet[Symbol.asyncDispose]();
        await cluster[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}
