import { once } from "node:events";
import { readFile } from "node:fs/promises";

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { aCluster, clusterUnavailable, type Cluster } from "../rig/cluster.ts";
import { aKubelet, type Kubelet } from "../rig/fake-kubelet.ts";
import { aGatewayFleet, type Gateways } from "../rig/gateway/gateways.ts";
import { gatewayUnavailable } from "../rig/gateway/parts.ts";
import { anAnsweringPlugin } from "../rig/gateway/plugins.ts";
import { wasmPluginCrd } from "../rig/install/gateway-chart.ts";
import { anImage } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";
import { aCertificateAuthority, type CertificateAuthority } from "../rig/tls.ts";
import { tools } from "../rig/tools.ts";

const reason = clusterUnavailable() ?? dockerRegistryUnavailable() ?? gatewayUnavailable();
const namespace = "higress-system";
const harbor = "harbor.airgap.example:8443";
const place = { namespace };
const caMap = (ca: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { ...place, name: "ca" },
  data: { "ca.crt": ca },
});
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { ...place, name: "higress-gateway" },
  spec: {
    containers: [
      {
        name: "higress-gateway",
        image: `${harbor}/gateway:1`,
        env: [{ name: "SSL_CERT_DIR", value: "/etc/ssl/certs:/etc/ssl/own" }],
        volumeMounts: [{ name: "ca", mountPath: "/etc/ssl/own" }],
      },
    ],
    volumes: [{ name: "ca", configMap: { name: "ca" } }],
    terminationGracePeriodSeconds: 0,
  },
};
const plugin = (url: string, spec: object = {}) => ({
  apiVersion: "extensions.higress.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { ...place, name: "deny" },
  spec: { url, defaultConfig: {}, ...spec },
});

describe.skipIf(reason)(`the gateway of the rig${reason === undefined ? "" : ` (not run: ${reason})`}`, () => {
  let authority: CertificateAuthority;
  let registry: DockerRegistry;
  let cluster: Cluster;
  let gateways: Gateways;
  let kubelet: Kubelet;
  let kubectl: (...args: readonly string[]) => Promise<string>;

  beforeAll(async () => {
    authority = await aCertificateAuthority({ names: ["harbor.airgap.example"] });
    [registry, cluster] = await Promise.all([aDockerRegistry({ tls: authority }), aCluster()]);
    gateways = await aGatewayFleet({ cluster, namespace, reach: { [harbor]: registry.url } });
    const ca = await readFile(authority.caFile, "utf8");
    kubelet = await aKubelet({
      cluster,
      hosts: { [harbor]: registry.url },
      ca,
      programs: gateways.programs,
      heartbeat: 300,
      crashBackoff: 300,
    });
    const { kubectl: program } = await tools("4.2");
    kubectl = async (...args) => {
      const input = args[0] === "apply" ? { input: args.at(-1) ?? "" } : {};
      const words = args[0] === "apply" ? [...args.slice(0, -1), "-f", "-"] : args;
      return (await execa(program, ["--kubeconfig", cluster.kubeconfig, "-n", namespace, ...words], input)).stdout;
    };
    const content = { gateway: anImage(), deny: aWasmPlugin({ module: anAnsweringPlugin(403) }) };
    await seed(
      registry.url,
      { [`${harbor}/gateway:1`]: content.gateway, [`${harbor}/deny:1`]: content.deny },
      { ca: [ca] },
    );
    await cluster.api.create("/api/v1/namespaces", { metadata: { name: namespace } });
    await kubectl("apply", wasmPluginCrd);
    await kubectl("wait", "--for=condition=Established", "crd/wasmplugins.extensions.higress.io", "--timeout=150s");
    await kubectl("apply", JSON.stringify(caMap(ca)));
    await kubectl("apply", JSON.stringify(pod));
  });
  afterAll(async () => {
    await kubelet[Symbol.asyncDispose]();
    await gateways[Symbol.asyncDispose]();
    await Promise.all([cluster, registry, authority].map((one) => one[Symbol.asyncDispose]()));
  });

  async function forward(to: number) {
    const { kubectl: program } = await tools("4.2");
    const place = ["--kubeconfig", cluster.kubeconfig, "-n", namespace];
    const child = execa(program, [...place, "port-forward", "pod/higress-gateway", `:${String(to)}`]);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return { child, port: /127\.0\.0\.1:(\d+) ->/.exec(line.toString())?.[1] ?? "" };
  }

  const status = async () => (await gateways.ask()).status;
  const log = () => gateways.pods[0]?.lines.join("\n") ?? "";

  it("runs the pod with its own mounts: a plugin comes from a registry with a private CA, and answers", async () => {
    await kubectl("wait", "--for=condition=Ready", "pod/higress-gateway", "--timeout=150s");
    expect(await gateways.ask()).toMatchObject({ status: 200, body: "backend" });
    await kubectl("apply", JSON.stringify(plugin(`oci://${harbor}/deny:1`)));
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
    expect(await kubectl("logs", "higress-gateway")).toContain("fetching image deny from registry");
  });

  it("lets the API server in: exec and port-forward reach the agent and Envoy's admin port", async () => {
    const dump = await kubectl("exec", "higress-gateway", "--", "pilot-agent", "request", "GET", "config_dump");
    // With a slip of the pen in Istio 1.27; from its 1.30 on, `extensions.istio.io/trafficextension/`.
    expect(dump).toMatch(/"exten(?:st|s)ions\.istio\.io\/\w+\/higress-system\.deny"/);
    const { child, port } = await forward(15020);
    const metrics = await fetch(`http://127.0.0.1:${port}/stats/prometheus`);
    expect(await metrics.text()).toContain('istio_agent_wasm_remote_fetch_count{result="success"} 1');
    child.kill();
    await child.catch(() => undefined);
  });

  it("is what the pod is: a plugin that cannot be fetched, and a process that dies", async () => {
    await kubectl("apply", JSON.stringify(plugin(`oci://${harbor}/nosuch:1`)));
    await expect.poll(log, { timeout: 150_000 }).toContain("cannot fetch Wasm module");
    expect(log()).toMatch(/applying deny RBAC filter/);
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
    await kubectl(
      "exec",
      "higress-gateway",
      "--",
      "sh",
      "-c",
      "kill -9 $(cat /proc/[0-9]*/stat | grep '(envoy)' | cut -d' ' -f1)",
    );
    const restarts = async () =>
      kubectl("get", "pod", "higress-gateway", "-o", "jsonpath={.status.containerStatuses[0].restartCount}");
    await expect.poll(restarts, { timeout: 150_000 }).toBe("1");
    await kubectl("delete", "wasmplugin", "deny");
    await kubectl("wait", "--for=condition=Ready", "pod/higress-gateway", "--timeout=150s");
    expect(await kubectl("logs", "higress-gateway", "--previous")).toContain("Envoy exited with error: signal: killed");
    expect(kubelet.problems).toEqual([]);
  });
});
