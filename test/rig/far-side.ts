import { execa } from "execa";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cli, type CliResult } from "./cli.ts";
import { aCluster, clusterUnavailable, type Cluster } from "./cluster.ts";
import { aKubelet, type Kubelet } from "./fake-kubelet.ts";
import { aGatewayFleet, type Gateways } from "./gateway/gateways.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "./registry-process.ts";
import { writeSampleSite } from "./sample-site.ts";
import { aTempDirectory } from "./temp-directory.ts";
import { aCertificateAuthority } from "./tls.ts";
import { tools, type HelmLine, type Tools } from "./tools.ts";

export const harborHost = "harbor.airgap.example:8443";
export const namespace = "higress-system";
export const password = "correct-horse-battery-staple";

/** Why no far side can be started on this machine, or undefined when one can. */
export function farSideUnavailable(): string | undefined {
  return dockerRegistryUnavailable() ?? clusterUnavailable();
}

export interface FarSideOptions {
  readonly helm?: HelmLine;
  /** Where else nodes can pull from: host of a reference to the URL of a registry. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** A real gateway in the gateway's pod, instead of one that a test plays. */
  readonly gateway?: boolean;
}

/** The air-gapped side whole: a registry with TLS and a password, an API server with a node, a host with a site file. */
export interface FarSide extends AsyncDisposable {
  readonly folder: string;
  readonly site: string;
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
  /** Where there is a real one. */
  readonly gateways: Gateways | undefined;
  readonly target: DockerRegistry;
  readonly tools: Tools;
  readonly ca: string;
  /** Lays these over the site file. */
  writeSite(more?: Readonly<Record<string, unknown>>): Promise<string>;
  /** A command of ours with the site, and with helm and kubectl where it takes them. */
  run(command: readonly string[], options?: { readonly env?: Record<string, string> }): Promise<CliResult>;
  /** What `run` gives to the program, for tests that start it themselves. */
  args(command: readonly string[]): readonly string[];
}

export async function aFarSide({ helm = "3.17", gateway = false, hosts = {} }: FarSideOptions = {}): Promise<FarSide> {
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const close = async (): Promise<void> => {
    for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
  };
  try {
    return { ...(await open(await tools(helm), keep, { gateway, hosts })), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <T extends AsyncDisposable>(resource: T) => T;

async function open(
  binaries: Tools,
  keep: Keep,
  { gateway, hosts: others }: Required<Pick<FarSideOptions, "gateway" | "hosts">>,
): Promise<Omit<FarSide, typeof Symbol.asyncDispose>> {
  const { path: folder } = keep(await aTempDirectory());
  const { caFile, ...authority } = keep(await aCertificateAuthority({ names: ["harbor.airgap.example"], days: 365 }));
  // A realm as the agent's guard takes it: a URL of a name, not of a private address.
  const realm = `https://${harborHost}/`;
  const target = keep(await aDockerRegistry({ tls: authority, htpasswd: { user: "pusher", password, realm } }));
  const cluster = keep(await aCluster());
  const ca = await readFile(caFile, "utf8");
  const hosts = { ...others, [harborHost]: target.url };
  const gateways = gateway ? keep(await aGatewayFleet({ cluster, namespace, reach: hosts })) : undefined;
  const programs = gateways === undefined ? {} : { programs: gateways.programs };
  const pace = { crashBackoff: 200, pullBackoff: 500, heartbeat: 300 };
  const kubelet = keep(await aKubelet({ cluster, hosts, ca, ...pace, ...programs }));
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  const writeSite = (more: Readonly<Record<string, unknown>> = {}) =>
    writeSampleSite(folder, {
      host: harborHost,
      url: target.url,
      ca: caFile,
      username: "pusher",
      passwordFile,
      kubeconfig: cluster.kubeconfig,
      more,
    });
  const site = await writeSite();
  const args = (command: readonly string[]): readonly string[] => {
    const own = command[0] === "push" ? [] : ["--helm", binaries.helm, "--kubectl", binaries.kubectl];
    return [...command, "--site", site, ...own];
  };
  const run: FarSide["run"] = (command, options) => cli(args(command), { cwd: folder, ...options });
  return { folder, site, cluster, kubelet, gateways, target, tools: binaries, ca: caFile, writeSite, args, run };
}

export const said = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;

/** `far.run`, for what must end well for the rest of a test to mean anything. */
export async function succeeds(far: FarSide, ...run: Parameters<FarSide["run"]>): Promise<CliResult> {
  const result = await far.run(...run);
  if (result.exitCode !== 0) throw new Error(`${run[0].join(" ")}: ${String(result.exitCode)}\n${said(result)}`);
  return result;
}

/** As the cluster's administrator, in the namespace of the release. */
export async function kubectl(far: FarSide, ...args: readonly string[]): Promise<string> {
  const all = ["--kubeconfig", far.cluster.kubeconfig, "-n", namespace, ...args];
  return (await execa(far.tools.kubectl, all)).stdout;
}
