import { ApiError, type KubeApi } from "./api.ts";
import { seconds } from "./container.ts";

export interface NodeOptions {
  readonly name: string;
  /** In Go's words: amd64 unless told, arm64. */
  readonly architecture?: string;
}

/** Makes the node known, or takes it over from a kubelet that ran before. */
export async function registerNode(api: KubeApi, node: NodeOptions, port: number): Promise<void> {
  const { name, architecture = "amd64" } = node;
  const metadata = {
    name,
    labels: {
      "kubernetes.io/hostname": name,
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": architecture,
    },
  };
  try {
    await api.create("/api/v1/nodes", { metadata });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
    await api.patch(`/api/v1/nodes/${name}`, { metadata });
  }
  await beat(api, node, port);
}

/** Says that the node is well. The node controller marks its pods NotReady after 50 s without one. */
export async function beat(api: KubeApi, { name, architecture = "amd64" }: NodeOptions, port: number): Promise<void> {
  const now = seconds(Date.now());
  const resources = { cpu: "64", memory: "512Gi", "ephemeral-storage": "512Gi", pods: "500" };
  await api.patch(`/api/v1/nodes/${name}/status`, {
    status: {
      capacity: resources,
      allocatable: resources,
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "simulated: no container runs on this node",
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        },
      ],
      nodeInfo: {
        architecture,
        operatingSystem: "linux",
        osImage: "simulated",
        kernelVersion: "6.1.0",
        containerRuntimeVersion: "containerd://2.0.0",
        kubeletVersion: "v1.36.2",
        kubeProxyVersion: "",
        machineID: name,
        systemUUID: name,
        bootID: name,
      },
    },
  });
}
