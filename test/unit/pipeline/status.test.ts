import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import type { KubeObject } from "../../../src/model/kubernetes.ts";
import type { Receipt } from "../../../src/model/receipt.ts";
import { StatusReader, type StatusPorts } from "../../../src/pipeline/status.ts";
import { addressLines, pluginLines, releaseLines } from "../../../src/ui/status.ts";
import { aReceipt } from "../../rig/receipt.ts";
import { MemoryCluster } from "../../rig/memory-cluster.ts";

const namespace = "higress-system";
const release = "higress";
const signal = new AbortController().signal;
const input = { namespace, release, folder: "/state", signal };

const object = (kind: string, name: string, more: object, apiVersion = "v1"): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  ...more,
});
const gateway = object(
  "DaemonSet",
  "edge",
  {
    spec: {
      selector: { matchLabels: { app: "edge" } },
      template: { metadata: { labels: { app: "edge", v: "1" } }, spec: { containers: [{ name: "higress-gateway" }] } },
    },
  },
  "apps/v1",
);
const pod = (name: string): KubeObject => ({
  ...object("Pod", name, {}),
  metadata: { name, namespace, labels: { app: "edge" } },
});
const plugin = (name: string, spec: object): KubeObject =>
  object("WasmPlugin", name, { spec }, "extensions.higress.io/v1alpha1");

const dumpOf = (...names: readonly string[]): string =>
  JSON.stringify({
    configs: names.map((name) => ({
      ecds_filter: {
        name: `${namespace}.${name}`,
        typed_config: { "@type": "x/envoy.extensions.filters.http.wasm.v3.Wasm" },
      },
    })),
  });

interface World {
  readonly objects?: readonly KubeObject[];
  /** What each pod says of its plugins. */
  readonly dumps?: Readonly<Record<string, string>>;
  readonly helm?: Partial<StatusPorts["helm"]>;
  readonly receipts?: StatusPorts["receipts"];
}

function aReader({ objects = [], dumps = {}, helm = {}, receipts = () => Promise.resolve([]) }: World): StatusReader {
  const cluster = new MemoryCluster();
  for (const each of objects) cluster.add(each);
  return new StatusReader(input, {
    helm: { metadata: () => Promise.resolve(undefined), history: () => Promise.resolve([]), ...helm },
    cluster: {
      get: (ref) => cluster.get(ref),
      list: (query) => cluster.list(query),
      exec: ({ pod: name }) => {
        const stdout = dumps[name];
        return Promise.resolve(stdout === undefined ? undefined : { exitCode: 0, stdout, stderr: "" });
      },
    },
    receipts,
  });
}

const forbidden = () => Promise.reject(new Failure("CLUSTER_FORBIDDEN", { action: "get", output: "is forbidden: no" }));

describe("status", () => {
  it("knows a gateway that was renamed, its addresses, and which plugins all of its pods have", async () => {
    const ports = [
      { port: 80, nodePort: 30080 },
      { port: 443, nodePort: 30443 },
    ];
    const service = (name: string, spec: object, status = {}) =>
      object("Service", name, { spec: { ports, ...spec }, status });
    const reader = aReader({
      objects: [
        gateway,
        pod("a"),
        pod("b"),
        service("waiting", { type: "LoadBalancer", selector: { app: "edge" } }),
        service(
          "given",
          { type: "LoadBalancer", selector: { v: "1" } },
          { loadBalancer: { ingress: [{ ip: "2001:db8::1" }, { hostname: "lb.example" }] } },
        ),
        service("other", { selector: { app: "other" } }),
        service("headless", {}),
        plugin("key-auth", {
          url: "oci://harbor.example/higress/key-auth:1.0.0@sha256:" + "a".repeat(64),
          phase: "AUTHN",
          priority: 310,
          defaultConfig: {},
        }),
        plugin("half", { url: "oci://harbor.example/higress/half:2.0.0", defaultConfigDisable: true }),
        plugin("lost", { url: "http://plugins.example/lost/plugin.wasm", sha256: "b".repeat(64) }),
      ],
      dumps: { a: dumpOf("key-auth", "half"), b: dumpOf("key-auth") },
    });
    const { gateway: services, console } = await reader.addresses();
    expect(console).toEqual([]);
    expect(services.map(({ service: name, at }) => [name, ...at])).toEqual([
      [`${namespace}/waiting`, "*:30080", "*:30443"],
      [`${namespace}/given`, "[2001:db8::1]:80", "[2001:db8::1]:443", "lb.example:80", "lb.example:443"],
    ]);
    const plugins = await reader.plugins();
    expect(plugins).toMatchObject([
      {
        name: "key-auth",
        version: "1.0.0",
        digest: `sha256:${"a".repeat(64)}`,
        phase: "AUTHN",
        priority: 310,
        on: true,
        gateway: "all",
      },
      { name: "half", version: "2.0.0", on: false, gateway: "some" },
      { name: "lost", digest: `sha256:${"b".repeat(64)}`, on: true, gateway: "missing" },
    ]);
    expect(reader.unread).toEqual([]);
    expect((await reader.releases())[0]?.installer).toEqual({ by: "manifests", managedBy: "" });
    for (const language of ["en", "zh"] as const) {
      expect(addressLines({ gateway: services, console }, language)).not.toContain("{");
      expect(pluginLines(plugins, { language })).toContain("AUTHN");
    }
  });

  it("says what may not be read, asks everything else, and hides no other failure", async () => {
    const reader = aReader({
      objects: [gateway, pod("a"), plugin("key-auth", { url: "oci://harbor.example/p:1" })],
      helm: { metadata: forbidden, history: forbidden },
      receipts: () =>
        Promise.reject(new Failure("CONFIG_INVALID", { file: "/state/receipt-0001.json", problems: "receipt" })),
    });
    expect(await reader.releases()).toEqual([{ release, namespace, unread: true, installer: { by: "unknown" } }]);
    // Nobody says that helm has none who could not look.
    expect(releaseLines(await reader.releases(), "en")).toContain("may not be seen");
    expect(await reader.plugins()).toMatchObject([{ name: "key-auth", gateway: "none" }]);
    expect(await reader.history()).toEqual([]);
    expect(reader.unread).toEqual([
      { what: "receipts", why: "/state/receipt-0001.json: receipt" },
      { what: "releases", why: "is forbidden: no" },
      { what: "gateway", why: "pods/exec" },
    ]);
    const down = () => Promise.reject(new Failure("CLUSTER_UNREACHABLE", { action: "get", output: "refused" }));
    await expect(aReader({ helm: { metadata: down } }).releases()).rejects.toThrow(/CLUSTER_UNREACHABLE/);
  });

  it("tells who installed a release, and whose it was", async () => {
    const metadata = () =>
      Promise.resolve({ chart: "higress", version: "2.2.4", revision: 3, status: "deployed", isServerSide: false });
    const adopted = [
      { release, namespace, revision: 2, chart: "higress", version: "2.0.7", values: "keep-values" as const },
    ];
    const helmBegun = aReceipt({ number: 1, adopted, helm: { revision: 3, previousRevision: 2 } });
    // A later install that ended before helm made nothing of what stands there, and neither does one alone.
    const endedBefore = aReceipt({ number: 2, state: "failed" });
    const failed = aReader({ helm: { metadata }, receipts: () => Promise.resolve([endedBefore]) });
    expect(await failed.releases()).toMatchObject([{ installer: { by: "helm" } }]);
    const ours = aReader({ helm: { metadata }, receipts: () => Promise.resolve([helmBegun, endedBefore]) });
    expect(await ours.releases()).toMatchObject([
      { version: "2.2.4", installer: { by: "receipt", number: 1 }, takenOver: "higress 2.0.7 (#2)" },
    ]);
    expect(await aReader({ helm: { metadata } }).releases()).toMatchObject([{ installer: { by: "helm" } }]);
  });

  it("does not say ours of a release that somebody removed, nor of the one that was made in its place", async () => {
    const phases: Receipt["phases"] = [{ phase: "apply", state: "done", at: "2026-11-22T00:10:00Z" }];
    const receipts = () => Promise.resolve([aReceipt({ helm: { revision: 1, previousRevision: 0 }, phases })]);
    const [gone] = await aReader({ receipts }).releases();
    expect(gone).toEqual({
      release,
      namespace,
      installer: expect.objectContaining({ by: "removed", number: 1 }) as object,
    });
    for (const language of ["en", "zh"] as const)
      expect(releaseLines(gone === undefined ? [] : [gone], language)).toMatch(/2\.2\.4[^{]*(since|移除)/);

    const metadata = () =>
      Promise.resolve({ chart: "higress", version: "2.1.0", revision: 1, status: "deployed", isServerSide: false });
    const made = { revision: 1, status: "deployed", updated: "2026-11-25T00:00:00Z", chart: "higress-2.1.0" };
    const helm = { metadata, history: () => Promise.resolve([made]) };
    expect(await aReader({ helm, receipts }).releases()).toMatchObject([
      { version: "2.1.0", installer: { by: "helm" } },
    ]);
  });
});
