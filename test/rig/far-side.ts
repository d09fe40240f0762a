import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cli, type CliResult } from "./cli.ts";
import { aCluster, clusterUnavailable, type Cluster } from "./cluster.ts";
import { aKubelet, type Kubelet } from "./fake-kubelet.ts";
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
}

/** The air-gapped side whole: a registry with TLS and a password, an API server with a node, a host with a site file. */
export interface FarSide extends AsyncDisposable {
  readonly folder: string;
  readonly site: string;
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
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

export async function aFarSide({ helm = "3.17" }: FarSideOptions = {}): Promise<FarSide> {
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    opened.push(resource);
    return resource;
  };
  const close = async (): Promise<void> => {
    for (const resource of opened.toReversed()) await resource[Symbol.asyncDispose]();
  };
  try {
    return { ...(await open(await tools(helm), keep)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Keep = <T extends AsyncDisposable>(resource: T) => T;

async function open(programs: Tools, keep: Keep): Promise<Omit<FarSide, typeof Symbol.asyncDispose>> {
  const { path: folder } = keep(await aTempDirectory());
  const { caFile, ...authority } = keep(await aCertificateAuthority({ names: ["harbor.airgap.example"], days: 365 }));
  const target = keep(await aDockerRegistry({ tls: authority, htpasswd: { user: "pusher", password } }));
  const cluster = keep(await aCluster());
  const ca = await readFile(caFile, "utf8");
  const hosts = { [harborHost]: target.url };
  const kubelet = keep(await aKubelet({ cluster, hosts, ca, crashBackoff: 200, pullBackoff: 500, heartbeat: 300 }));
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
    const binaries = command[0] === "push" ? [] : ["--helm", programs.helm, "--kubectl", programs.kubectl];
    return [...command, "--site", site, ...binaries];
  };
  const run: FarSide["run"] = (command, options) => cli(args(command), { cwd: folder, ...options });
  return { folder, site, cluster, kubelet, target, tools: programs, ca: caFile, writeSite, args, run };
}

export const said = ({ stdout, stderr }: CliResult): string => `${stdout}\n${stderr}`;
