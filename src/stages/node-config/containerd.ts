import type { NodeConfig, NodeConfigOptions, NodeFile } from "./node-config.ts";

const certs = "/etc/containerd/certs.d";
const configPath = {
  containerd1: `version = 2\n\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "${certs}"\n`,
  containerd2: `version = 3\n\n[plugins.'io.containerd.cri.v1.images'.registry]\n  config_path = '${certs}'\n`,
} as const;

/** hosts.toml is read at every pull; only `config_path`, where it was not set before, wants a restart. */
export function containerd(runtime: keyof typeof configPath, options: NodeConfigOptions): NodeConfig {
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
