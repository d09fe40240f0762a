import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../../src/model/kubernetes.ts";
import { namedHosts, runningImages, secretsNamed } from "../../../../src/stages/survey/running.ts";

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const workload = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "gateway" },
  spec: { selector: { matchLabels: { app: "gateway" } } },
} as unknown as KubeObject;

function pod(app: string, containers: Readonly<Record<string, string>>): KubeObject {
  const named = Object.entries(containers).map(([image, imageID], at) => ({ name: `c${at}`, image, imageID }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { app, hash: "1" } },
    spec: { containers: named },
    status: { containerStatuses: named },
  };
}

describe("images that run", () => {
  it("are those of the release's pods by what nodes pulled, sidecars too, and nobody else's", () => {
    const pods = [
      pod("gateway", {
        "r.example/gateway:1": `r.example/gateway@${digest("a")}`,
        "r.example/sidecar:2": `docker-pullable://r.example/sidecar@${digest("b")}`,
      }),
      pod("shop", { "r.example/shop:1": `r.example/shop@${digest("c")}` }),
    ];
    expect(runningImages([workload], pods)).toEqual([
      { reference: "r.example/gateway:1", digests: [digest("a")] },
      { reference: "r.example/sidecar:2", digests: [digest("b")] },
    ]);
  });

  it("have each digest that a tag had, and none where the node knows only a configuration", () => {
    const pods = [
      pod("gateway", { "r.example/gateway:1": `r.example/gateway@${digest("b")}` }),
      pod("gateway", { "r.example/gateway:1": `r.example/gateway@${digest("a")}` }),
      pod("gateway", { "r.example/loaded:1": digest("c"), "no reference!": "x" }),
    ];
    expect(runningImages([workload], pods)).toEqual([
      { reference: "r.example/gateway:1", digests: [digest("a"), digest("b")] },
      { reference: "r.example/loaded:1", digests: [] },
    ]);
  });
});

describe("hosts that registries, routes and plugins name", () => {
  it("are those outside of the cluster, without ports, logins and what is no host", () => {
    const bridge = {
      kind: "McpBridge",
      spec: {
        registries: [
          { domain: "Nacos.bank.example:8848, 203.0.113.7:80" },
          { domain: "nacos.default.svc" },
          { domain: "10.0.0.1:80" },
          { domain: "not a host" },
        ],
        proxies: [{ serverAddress: "proxy.bank.example" }],
      },
    };
    const route = {
      kind: "Ingress",
      metadata: { annotations: { "higress.io/destination": "50% erp.bank.example.dns:443\n50% a.static" } },
    };
    const entry = { kind: "ServiceEntry", spec: { hosts: ["ldap.bank.example", "*.mesh.example", 5] } };
    const config = { kind: "WasmPlugin", spec: { defaultConfig: { issuer: "https://app@sso.bank.example/x" } } };
    expect(namedHosts([bridge, route, config, entry])).toEqual([
      "*.mesh.example",
      "203.0.113.7",
      "erp.bank.example",
      "ldap.bank.example",
      "nacos.bank.example",
      "proxy.bank.example",
      "sso.bank.example",
    ]);
  });
});

describe("Secrets that are named", () => {
  const of = (kind: string, spec: object, annotations = {}): KubeObject => ({
    apiVersion: "v1",
    kind,
    metadata: { name: "a", namespace: "shop", annotations },
    spec,
  });
  const named = (...objects: readonly KubeObject[]) => secretsNamed(objects).map(({ where }) => where);

  it("are those of each kind that names some, and no annotation that may be one itself", () => {
    const listeners = [{ tls: { certificateRefs: [{ name: "front" }, { kind: "ConfigMap", name: "no-secret" }] } }];
    expect(
      named(
        of("Gateway", { listeners }),
        of("Gateway", { servers: [{ tls: { credentialName: "mesh" } }] }),
        of("McpBridge", { registries: [{ authSecretName: "nacos" }, { authSecretName: "nacos" }] }),
        of("WasmPlugin", { imagePullSecret: "pull" }),
        of(
          "Ingress",
          { tls: [{ secretName: "shop-tls" }] },
          { "higress.io/auth-secret": "b/login", "bank/secret": "hunter2" },
        ),
      ),
    ).toEqual([
      "front (Gateway shop/a)",
      "mesh (Gateway shop/a)",
      "nacos (McpBridge shop/a)",
      "pull (WasmPlugin shop/a)",
      "b/login (Ingress shop/a)",
      "shop-tls (Ingress shop/a)",
    ]);
  });

  it("are looked for in what is deep or long, and told in no more than a name's length", () => {
    let deep: object = { secretName: "x".repeat(100_000) };
    for (let at = 0; at < 50; at += 1) deep = { a: [deep] };
    expect(named(of("EnvoyFilter", deep))).toEqual([]);
    expect(named(of("EnvoyFilter", { a: { secretName: "x".repeat(100_000) } }))[0]).toHaveLength(
      300 + " (EnvoyFilter shop/a)".length,
    );
  });
});
