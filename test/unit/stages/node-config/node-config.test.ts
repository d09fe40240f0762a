import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { nodeConfig, type NodeConfigOptions, type Runtime } from "../../../../src/stages/node-config/node-config.ts";

const ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const options: NodeConfigOptions = { host: "harbor.corp:8443", plainHttp: false, ca, insecure: false };
const runtimes: readonly Runtime[] = ["containerd1", "containerd2", "docker", "k3s", "rke2"];
const fileOf = (runtime: Runtime, path: string, change: Partial<NodeConfigOptions> = {}): string =>
  nodeConfig(runtime, { ...options, ...change }).files.find((file) => file.path.endsWith(path))?.text ?? "";

describe("nodeConfig", () => {
  it.each(runtimes)("for %s carries the CA as it is, where something names it", (runtime) => {
    const { files } = nodeConfig(runtime, options);
    const trust = files.find(({ text }) => text === ca);
    expect(trust?.merge).toBe(false);
    const named = files.some(({ text }) => text.includes(trust?.path ?? "?"));
    expect(named || runtime === "docker").toBe(true);
  });

  it.each(runtimes)("for %s names no CA over plain http, and does not say that verification is off", (runtime) => {
    const { files } = nodeConfig(runtime, { ...options, plainHttp: true });
    expect(files.some(({ text }) => text === ca)).toBe(false);
    expect(files.map(({ text }) => text).join("")).not.toMatch(/skip_verify|https:/);
  });

  it.each(runtimes)("for %s turns verification off only when told to", (runtime) => {
    const off = /skip_verify|insecure/;
    expect(
      nodeConfig(runtime, options)
        .files.map(({ text }) => text)
        .join(""),
    ).not.toMatch(off);
    expect(
      nodeConfig(runtime, { ...options, insecure: true })
        .files.map(({ text }) => text)
        .join(""),
    ).toMatch(off);
  });

  it("puts containerd's host file where the port belongs", () => {
    expect(nodeConfig("containerd2", options).files.map(({ path, merge }) => [path, merge])).toEqual([
      ["/etc/containerd/config.toml", true],
      ["/etc/containerd/certs.d/harbor.corp:8443/hosts.toml", false],
      ["/etc/containerd/certs.d/harbor.corp:8443/ca.crt", false],
    ]);
    expect(fileOf("containerd2", "hosts.toml")).toBe(
      [
        'server = "https://harbor.corp:8443"',
        "",
        '[host."https://harbor.corp:8443"]',
        '  capabilities = ["pull", "resolve"]',
        '  ca = "/etc/containerd/certs.d/harbor.corp:8443/ca.crt"',
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["containerd1", "version = 2", "io.containerd.grpc.v1.cri"],
    ["containerd2", "version = 3", "io.containerd.cri.v1.images"],
  ] as const)("names %s's own plugin", (runtime, version, plugin) => {
    expect(fileOf(runtime, "config.toml")).toContain(version);
    expect(fileOf(runtime, "config.toml")).toContain(plugin);
  });

  it.each(["k3s", "rke2"] as const)("writes a registries.yaml that %s reads as meant", (runtime) => {
    const host = "harbor.corp:8443";
    expect(load(fileOf(runtime, "registries.yaml"))).toEqual({
      mirrors: { [host]: { endpoint: [`https://${host}`] } },
      configs: { [host]: { tls: { ca_file: `/etc/rancher/${runtime}/harbor.corp_8443.ca.crt` } } },
    });
    expect(load(fileOf(runtime, "registries.yaml", { plainHttp: true }))).toEqual({
      mirrors: { [host]: { endpoint: [`http://${host}`] } },
    });
  });

  it("needs nothing of docker for a certificate that everybody trusts", () => {
    expect(nodeConfig("docker", { ...options, ca: undefined })).toEqual({ files: [], commands: [] });
  });
});
