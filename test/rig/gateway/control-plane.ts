import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import type { Cluster } from "../cluster.ts";
import { gatewayProgram, pilotBinary } from "./parts.ts";

/** Follows the WasmPlugins of a namespace, and serves what gateways are to have. */
export interface ControlPlane {
  /** What it printed: what it was refused, for one. */
  readonly lines: readonly string[];
  /** Where agents reach it: a socket in the shared folder, or an address of this machine. */
  readonly at: { readonly socket: string } | { readonly url: string };
  /** What the agents' containers need of variables to be taken by it. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

interface Followed {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** A folder that pods have, too. */
  readonly shared: string;
}

/** Our own, which sends what the controller of Higress and its pilot would send. */
export async function ourControlPlane(followed: Followed): Promise<ControlPlane> {
  const socket = "xds";
  const args = ["--socket", join(followed.shared, socket)];
  return { ...(await oursOf("control-plane", followed, args)), at: { socket }, env: {} };
}

/** The real pilot; before it, in the place of Higress' controller, a program of ours that hands it the plugins. */
export async function aPilot(followed: Followed): Promise<ControlPlane> {
  const folder = join(followed.shared, "pilot");
  await mkdir(folder);
  await writeFile(join(followed.shared, meshFile), mesh);
  const controller = await oursOf("controller", followed, ["--folder", folder]);
  const pilot = await aProgram(pilotBinary(), pilotArgs(followed, folder), pilotEnv(followed), serves);
  return {
    lines: pilot.lines,
    at: { url: `http://${serves.exec(pilot.lines.join("\n"))?.[1] ?? ""}` },
    env: {
      ISTIO_META_CLUSTER_ID: "Kubernetes",
      // Who an agent is, it says by a token of the API server and a certificate of pilot's; here by the header of a
      // proxy that pilot trusts, without which it hands out no pull secret.
      "XDS_HEADER_x-forwarded-client-cert": `URI=spiffe://cluster.local/ns/${followed.namespace}/sa/higress-gateway`,
    },
    async stop() {
      await Promise.all([controller.stop(), pilot.stop()]);
    },
  };
}

const meshFile = "mesh.yaml";
/** Of Ingresses the controller of Higress makes what it makes, and no gateway of ours has a certificate of the mesh. */
const mesh = "{ ingressControllerMode: 'OFF', enableAutoMtls: false }\n";
const serves = /starting gRPC discovery service at (\S+)/;

const pilotArgs = ({ cluster, namespace, shared }: Followed, folder: string): readonly string[] => [
  "discovery",
  ...["--registries", "Kubernetes", "--kubeconfig", cluster.kubeconfig, "--namespace", namespace],
  ...["--configDir", folder, "--meshConfig", join(shared, meshFile), "--grpcAddr", "127.0.0.1:0"],
  ...["--httpAddr", "127.0.0.1:0", "--httpsAddr", "", "--secureGRPCAddr", "", "--monitoringAddr", "127.0.0.1:0"],
  ...["--ctrlz_port", "0", "--log_output_level", "default:info"],
];

const pilotEnv = ({ namespace }: Followed): Readonly<Record<string, string>> => ({
  POD_NAMESPACE: namespace,
  POD_NAME: "pilot",
  ...{ ENABLE_CA_SERVER: "false", PILOT_CERT_PROVIDER: "none" },
  ...{ INJECTION_WEBHOOK_CONFIG_NAME: "", VALIDATION_WEBHOOK_CONFIG_NAME: "" },
  ...{ XDS_AUTH_PLAINTEXT: "true", TRUSTED_GATEWAY_CIDR: "127.0.0.0/8" },
  // Filters that Istio's own Envoy has and others have not.
  ...{ PILOT_ENABLE_METADATA_EXCHANGE: "false", PILOT_ENABLE_ALPN_FILTER: "false" },
});

/** A part of our own program that follows the plugins of the cluster. */
async function oursOf(part: string, { cluster, namespace }: Followed, more: readonly string[]): Promise<Running> {
  const { users } = JSON.parse(await readFile(cluster.kubeconfig, "utf8")) as { users: { user: { token: string } }[] };
  const args = [part, "--server", cluster.server, "--ca", cluster.caFile, "--namespace", namespace, ...more];
  return aProgram(gatewayProgram(), args, { KUBE_TOKEN: users[0]?.user.token ?? "" }, /^ready$/);
}

type Running = Pick<ControlPlane, "lines" | "stop">;

/** A program that serves once it has printed a line like this. */
async function aProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
): Promise<Running> {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const closed = once(child, "close");
  const printed = new Promise<"ready">((resolve) => {
    const read = (stream: Readable): void => {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (ready.test(line)) resolve("ready");
      });
    };
    read(child.stdout);
    read(child.stderr);
  });
  if ((await Promise.race([printed, closed])) !== "ready")
    throw new Error(`${program} did not start: ${lines.join("\n")}`);
  return {
    lines,
    async stop() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
