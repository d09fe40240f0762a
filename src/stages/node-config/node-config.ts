import { canonicalJson } from "../../std/canonical-json.ts";
import { unreachable } from "../../std/unreachable.ts";

/** What runs containers on the nodes. */
export type Runtime = "containerd1" | "containerd2" | "docker" | "k3s" | "rke2";

export interface NodeConfigOptions {
  /** Host with an optional port, as references name it. */
  readonly host: string;
  readonly plainHttp: boolean;
  /** PEM of the CA that signed the registry's certificate; absent: a public one did. */
  readonly ca?: string | undefined;
  /** Do not verify. Loud, never the default. */
  readonly insecure: boolean;
}

export interface NodeFile {
  readonly path: string;
  readonly text: string;
  /** Octal, as chmod takes it. */
  readonly mode: number;
  /** The file may hold more than ours: `text` is to be merged into it, not written over it. */
  readonly merge: boolean;
}

/** Files for each node, and what to run there afterwards. No secrets: the cluster's pull secret has them. */
export interface NodeConfig {
  readonly files: readonly NodeFile[];
  readonly commands: readonly string[];
}

/** What a node needs so that it pulls from this registry (docs/facts/harbor.md#ca-trust). */
export function nodeConfig(runtime: Runtime, options: NodeConfigOptions): NodeConfig {
  switch (runtime) {
    case "containerd1":
    case "containerd2":
      return containerd(runtime, options);
    case "docker":
      return docker(options);
    case "k3s":
    case "rke2":
      return k3s(runtime, options);
    default:
      return unreachable(runtime);
  }
}

const certs = "/etc/containerd/certs.d";
const configPath = {
  containerd1: `version = 2\n\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "${certs}"\n`,
  containerd2: `version = 3\n\n[plugins.'io.containerd.cri.v1.images'.registry]\n  config_path = '${certs}'\n`,
} as const;

/** hosts.toml is read at every pull; only `config_path`, where it was not set before, wants a restart. */
function containerd(runtime: keyof typeof configPath, options: NodeConfigOptions): NodeConfig {
  const { host, plainHttp, ca, insecure } = options;
  const directory = `${certs}/${host}`;
  const url = `${plainHttp ? "http" : "https"}://${host}`;
  const hosts = [
    `server = "${url}"`,
    "",
    `[host."${url}"]`,
    `  capabilities = ["pull", "resolve"]`,
    ...(ca === undefined || plainHttp ? [] : [`  ca = "${directory}/ca.crt"`]),
    ...(insecure && !plainHttp ? ["  skip_verify = true"] : []),
    "",
  ];
  const trust: readonly NodeFile[] =
    ca === undefined || plainHttp ? [] : [{ path: `${directory}/ca.crt`, text: ca, mode: 0o644, merge: false }];
  return {
    files: [
      { path: "/etc/containerd/config.toml", text: configPath[runtime], mode: 0o644, merge: true },
      { path: `${directory}/hosts.toml`, text: hosts.join("\n"), mode: 0o644, merge: false },
      ...trust,
    ],
    commands: ["systemctl restart containerd"],
  };
}

/** certs.d is read at every pull; daemon.json at start, or on SIGHUP. */
function docker({ host, plainHttp, ca, insecure }: NodeConfigOptions): NodeConfig {
  if (plainHttp || insecure) {
    const text = canonicalJson({ "insecure-registries": [host] });
    return {
      files: [{ path: "/etc/docker/daemon.json", text, mode: 0o644, merge: true }],
      commands: ["systemctl reload docker"],
    };
  }
  if (ca === undefined) return { files: [], commands: [] };
  return { files: [{ path: `/etc/docker/certs.d/${host}/ca.crt`, text: ca, mode: 0o644, merge: false }], commands: [] };
}

const services = {
  k3s: ["systemctl restart k3s        # server", "systemctl restart k3s-agent  # agent"],
  rke2: ["systemctl restart rke2-server  # server", "systemctl restart rke2-agent   # agent"],
} as const;

/** K3s and RKE2 make containerd's own files from registries.yaml when they start. JSON strings are YAML strings. */
function k3s(runtime: keyof typeof services, { host, plainHttp, ca, insecure }: NodeConfigOptions): NodeConfig {
  const directory = `/etc/rancher/${runtime}`;
  const caFile = `${directory}/${host.replaceAll(":", "_")}.ca.crt`;
  const trusts = ca !== undefined && !plainHttp;
  const tls = [
    ...(trusts ? [`      ca_file: ${JSON.stringify(caFile)}`] : []),
    ...(insecure && !plainHttp ? ["      insecure_skip_verify: true"] : []),
  ];
  const text = [
    "mirrors:",
    `  ${JSON.stringify(host)}:`,
    "    endpoint:",
    `      - ${JSON.stringify(`${plainHttp ? "http" : "https"}://${host}`)}`,
    ...(tls.length === 0 ? [] : ["configs:", `  ${JSON.stringify(host)}:`, "    tls:", ...tls]),
    "",
  ].join("\n");
  return {
    files: [
      { path: `${directory}/registries.yaml`, text, mode: 0o600, merge: true },
      ...(trusts ? [{ path: caFile, text: ca, mode: 0o644, merge: false }] : []),
    ],
    commands: services[runtime],
  };
}
