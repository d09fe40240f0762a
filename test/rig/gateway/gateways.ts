import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";

import type { ConfigMap, Container, Pod, Secret } from "kubernetes-types/core/v1.js";

import type { Cluster } from "../cluster.ts";
import type { KubeApi } from "../kubelet/api.ts";
import type { ProgramOf } from "../kubelet/program.ts";
import { aTempDirectory } from "../temp-directory.ts";
import { aPilot, ourControlPlane } from "./control-plane.ts";
import { bootstrapTemplate, envoyBinary, planned, type EnvoyVersion, type Plane } from "./parts.ts";
import { GatewayPod, type ContainerSpec } from "./pod.ts";

export interface GatewaysOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** What pods may reach: host:port as they call it, and where that is on this machine. */
  readonly reach?: Readonly<Record<string, string>>;
  readonly envoy?: EnvoyVersion;
  /** Who sends the gateways their configuration; said by the suite that runs, unless a test asks for one. */
  readonly plane?: Plane;
  /** Laid over what the pod says, for all pods that start from now on. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The gateways of one release: a control plane that follows the cluster's WasmPlugins, and a container for each pod. */
export interface Gateways extends AsyncDisposable {
  /** For aKubelet. */
  readonly programs: ProgramOf;
  /** The pods that run now. */
  readonly pods: readonly GatewayPod[];
  /** What the control plane printed: what it was refused, for one. */
  readonly controlPlane: readonly string[];
  /** A request to a gateway's port 80, as a client of it sends it. */
  ask(path?: string, headers?: Readonly<Record<string, string>>): ReturnType<GatewayPod["ask"]>;
}

const container = "higress-gateway";
const discoveryPort = 15010;
const discovery = `127.0.0.1:${String(discoveryPort)}`;

export async function aGatewayFleet(options: GatewaysOptions): Promise<Gateways> {
  const { cluster, namespace, reach = {}, plane: kind = planned() } = options;
  const shared = await aTempDirectory();
  const doors = await Promise.all(Object.entries(reach).map(([name, url]) => aDoor(shared.path, name, url)));
  const plane = await (kind === "pilot" ? aPilot : ourControlPlane)({ cluster, namespace, shared: shared.path });
  if ("url" in plane.at) doors.push(await aDoor(shared.path, discovery, plane.at.url));
  const pods = new Map<string, GatewayPod>();
  const hosts = [...new Set(Object.keys(reach).map((name) => name.replace(/:\d+$/, "")))];
  const egress = Object.fromEntries(doors.map(({ port, socket }) => [port, socket]));
  if ("socket" in plane.at) egress[discoveryPort] = plane.at.socket;
  let number = 0;

  const running = (): readonly GatewayPod[] => [...pods.values()].filter((pod) => pod.running);

  return {
    controlPlane: plane.lines,
    get pods() {
      return running();
    },
    programs(pod, spec) {
      if (spec.name !== container || pod.metadata?.namespace !== namespace) return undefined;
      number += 1;
      const name = `pod-${String(number)}`;
      const made = new GatewayPod({ name, shared: shared.path }, async () => ({
        ...(await containerSpec(cluster.api, pod, spec, { ...options, env: { ...plane.env, ...options.env } })),
        name,
        hosts,
        egress,
        shared: shared.path,
      }));
      pods.set(name, made);
      return made;
    },
    async ask(path = "/", headers = {}) {
      const [first] = running();
      if (first === undefined) throw new Error("no gateway runs");
      return first.ask(80, path, headers);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...pods.values()].map((pod) => pod.stop()));
      await plane.stop();
      for (const { server } of doors) server.close();
      await shared[Symbol.asyncDispose]();
    },
  };
}

async function containerSpec(
  api: KubeApi,
  pod: Pod,
  spec: Container,
  { envoy = "1.36.4", env = {} }: GatewaysOptions,
): Promise<Pick<ContainerSpec, "args" | "env" | "volumes" | "envoy" | "template">> {
  const own = Object.fromEntries((spec.env ?? []).map((each) => [each.name, each.value ?? fieldOf(pod, each)]));
  const variables = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    POD_NAME: pod.metadata?.name ?? "",
    POD_NAMESPACE: pod.metadata?.namespace ?? "",
    INSTANCE_IP: "127.0.0.1",
    // A mesh without certificates: who the agent is to the control plane is not what is tested here.
    JWT_POLICY: "none",
    FILE_MOUNTED_CERTS: "true",
    ...own,
    PROXY_CONFIG: JSON.stringify({
      discoveryAddress: discovery,
      controlPlaneAuthPolicy: "NONE",
      concurrency: 1,
      terminationDrainDuration: "1s",
    }),
    ...env,
  };
  return {
    args: spec.args ?? gatewayArgs(pod.metadata?.namespace ?? ""),
    env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    volumes: await volumesOf(api, pod, spec),
    envoy: envoyBinary(envoy),
    template: bootstrapTemplate(),
  };
}

/** As the chart of Higress starts it. */
export const gatewayArgs = (namespace: string): readonly string[] => [
  "proxy",
  "router",
  "--domain",
  `${namespace}.svc.cluster.local`,
  "--proxyLogLevel=warning",
  "--proxyComponentLogLevel=misc:error",
  "--log_output_level=default:info",
  "--serviceCluster=higress-gateway",
];

function fieldOf(pod: Pod, { valueFrom }: NonNullable<Container["env"]>[number]): string {
  const path = valueFrom?.fieldRef?.fieldPath;
  if (path === "metadata.name") return pod.metadata?.name ?? "";
  return path === "metadata.namespace" ? (pod.metadata?.namespace ?? "") : "";
}

async function volumesOf(api: KubeApi, pod: Pod, spec: Container): Promise<ContainerSpec["volumes"]> {
  const volumes: Record<string, Record<string, string>> = {};
  for (const { name, mountPath } of spec.volumeMounts ?? []) {
    const volume = pod.spec?.volumes?.find((each) => each.name === name);
    const read = async (kind: string, of: string | undefined): Promise<unknown> =>
      api.get(`/api/v1/namespaces/${pod.metadata?.namespace ?? ""}/${kind}/${of ?? ""}`);
    if (volume?.configMap !== undefined) {
      const { data = {} } = (await read("configmaps", volume.configMap.name)) as ConfigMap;
      volumes[mountPath] = Object.fromEntries(
        Object.entries(data).map(([file, text]) => [file, Buffer.from(text).toString("base64")]),
      );
    }
    if (volume?.secret !== undefined)
      volumes[mountPath] = { ...((await read("secrets", volume.secret.secretName)) as Secret).data };
  }
  return volumes;
}

interface Door {
  readonly port: number;
  readonly socket: string;
  readonly server: Server;
}

/** A socket in the shared folder behind which an address of this machine is, for one that a pod calls `name`. */
async function aDoor(shared: string, name: string, url: string): Promise<Door> {
  const port = Number(/:(\d+)$/.exec(name)?.[1] ?? 443);
  const socket = `out-${String(port)}`;
  const target = new URL(url);
  const server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true });
    const end = (): void => {
      inside.destroy();
      outside.destroy();
    };
    inside.on("error", end).pipe(outside.on("error", end)).pipe(inside);
  });
  server.listen(join(shared, socket));
  await once(server, "listening");
  server.unref();
  return { port, socket, server };
}
