import type { NodeConfig, NodeConfigOptions } from "./node-config.ts";

const services = {
  k3s: ["systemctl restart k3s        # on servers", "systemctl restart k3s-agent  # on agents"],
  rke2: ["systemctl restart rke2-server  # on servers", "systemctl restart rke2-agent   # on agents"],
} as const;

/** Both make containerd's own files from registries.yaml when they start. JSON strings are YAML strings. */
export function k3s(runtime: keyof typeof services, { host, plainHttp, ca, insecure }: NodeConfigOptions): NodeConfig {
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
