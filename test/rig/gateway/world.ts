import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import type { Deployment } from "kubernetes-types/apps/v1.js";

import { openKubectl, type Kubectl } from "../../../src/edge/process/kubectl.ts";
import { anImage } from "../builders/images.ts";
import type { Graph } from "../builders/graph.ts";
import { aCluster, clusterUnavailable, type Cluster } from "../cluster.ts";
import { aKubelet, type Kubelet } from "../fake-kubelet.ts";
import { wasmPluginCrd } from "../install/gateway-chart.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../registry-process.ts";
import { seed } from "../seed.ts";
import { aTempDirectory } from "../temp-directory.ts";
import { aCertificateAuthority, type CertificateAuthority } from "../tls.ts";
import { tools } from "../tools.ts";
import { aGatewayFleet, gatewayArgs, type Gateways } from "./gateways.ts";
import { gatewayUnavailable, planned, type EnvoyVersion, type Plane } from "./parts.ts";

export const gatewayWorldUnavailable = clusterUnavailable() ?? dockerRegistryUnavailable() ?? gatewayUnavailable();

export const namespace = "higress-system";
const name = "higress-gateway";
/** Our CA's; of a company whose CA nobody here has; and one whose certificate is over. */
export const hosts = {
  harbor: "harbor.airgap.example:8443",
  stranger: "stranger.example:8444",
  expired: "expired.airgap.example:8445",
} as const;
export const pullSecret = "pull";

/** A cluster with one gateway, which is real, and the registries that it fetches from; nothing of the product is in it. */
export interface GatewayWorld extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
  readonly gateways: Gateways;
  readonly kubelet: Kubelet;
  /** Into the good registry, as NAME:1. */
  seed(content: Readonly<Record<string, Graph>>): Promise<void>;
  ready(): Promise<void>;
}

/** What servers besides those of the world can be made of. */
export interface Beside {
  readonly authority: CertificateAuthority;
  /** Where the registry of the stranger is on this machine. */
  readonly stranger: string;
  /** Ends with the world. */
  readonly keep: <T extends AsyncDisposable>(one: T) => T;
}

export interface WorldOptions {
  readonly envoy?: EnvoyVersion;
  readonly plane?: Plane;
  readonly logAsJson?: boolean;
  /** More that pods may reach: host:port as they call it, and its URL on this machine. */
  readonly beside?: (made: Beside) => Promise<Readonly<Record<string, string>>>;
}

export async function aGatewayWorld({
  envoy = "1.36.4",
  plane = planned(),
  logAsJson = false,
  beside,
}: WorldOptions = {}): Promise<GatewayWorld> {
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(one: T): T => {
    opened.push(one);
    return one;
  };
  const login = { username: "puller", password: "planted-pull-password" };
  const authority = keep(await aCertificateAuthority({ names: ["harbor.airgap.example"] }));
  const other = keep(await aCertificateAuthority({ names: ["stranger.example"] }));
  const over = await authority.issue({ names: ["expired.airgap.example"], expired: true });
  const htpasswd = { user: login.username, password: login.password, realm: `https://${hosts.harbor}/` };
  const registry = keep(await aDockerRegistry({ tls: authority, htpasswd }));
  const stranger = keep(await aDockerRegistry({ tls: other }));
  const expired = keep(await aDockerRegistry({ tls: over }));
  const cluster = keep(await aCluster());
  const reach = {
    ...{ [hosts.harbor]: registry.url, [hosts.stranger]: stranger.url, [hosts.expired]: expired.url },
    ...(await beside?.({ authority, stranger: stranger.url, keep })),
  };
  const gateways = keep(await aGatewayFleet({ cluster, namespace, reach, envoy, plane }));
  const ca = await readFile(authority.caFile, "utf8");
  const pace = { heartbeat: 300, crashBackoff: 300, pullBackoff: 300 };
  const kubelet = keep(await aKubelet({ cluster, hosts: reach, ca, programs: gateways.programs, ...pace }));
  const { kubectl: program } = await tools("4.2");
  const home = keep(await aTempDirectory());
  const kubectl = await openKubectl(program, { env: { HOME: home.path }, kubeconfig: cluster.kubeconfig });
  const put = (content: Readonly<Record<string, Graph>>) => {
    const named = Object.entries(content).map(([each, graph]) => [`${hosts.harbor}/${each}:1`, graph] as const);
    return seed(registry.url, Object.fromEntries(named), { ca: [ca], login });
  };
  await put({ gateway: anImage() });
  await kubectl.apply(wasmPluginCrd, { fieldManager: "rig" });
  await kubectl.established(["wasmplugins.extensions.higress.io"], 150);
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  await kubectl.apply(documents(ca, JSON.stringify({ auths: { [hosts.harbor]: { auth } } }), logAsJson), {
    fieldManager: "rig",
  });

  const ready = async (): Promise<void> => {
    for (let tries = 0; tries < 900; tries += 1) {
      const found = await kubectl.get<Deployment>({ resource: "deployments.apps", name, namespace });
      if (found?.status?.readyReplicas === 1) return;
      await delay(200);
    }
    throw new Error(`the gateway is not ready: ${gateways.pods.flatMap(({ lines }) => lines.slice(-20)).join("\n")}`);
  };
  await ready();
  return {
    cluster,
    kubectl,
    gateways,
    kubelet,
    seed: put,
    ready,
    async [Symbol.asyncDispose]() {
      for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
    },
  };
}

function documents(ca: string, login: string, logAsJson: boolean) {
  const about = (of: string) => ({ name: of, namespace });
  const labels = { app: name };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    { apiVersion: "v1", kind: "ConfigMap", metadata: about("ca"), data: { "ca.crt": ca } },
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/dockerconfigjson",
      metadata: about(pullSecret),
      stringData: { ".dockerconfigjson": login },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: about(name),
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(logAsJson) },
      },
    },
  ];
}

const podSpec = (logAsJson: boolean) => ({
  containers: [
    {
      name,
      args: [...gatewayArgs(namespace), ...(logAsJson ? ["--log_as_json"] : [])],
      image: `${hosts.harbor}/gateway:1`,
      env: [{ name: "SSL_CERT_DIR", value: "/etc/ssl/certs:/etc/ssl/own" }],
      volumeMounts: [{ name: "ca", mountPath: "/etc/ssl/own" }],
    },
  ],
  volumes: [{ name: "ca", configMap: { name: "ca" } }],
  imagePullSecrets: [{ name: pullSecret }],
  terminationGracePeriodSeconds: 0,
});
