import fc from "fast-check";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { discoverReferences } from "../../../../src/stages/discover/discover.ts";
import { aConfigMap, aDeployment, asManifest } from "../../../rig/builders/objects.ts";

const planted = "registry.example.com/team/planted:1.0";

const deployment = (container: object): object =>
  aDeployment("d", { containers: [{ name: "c", image: "harbor/x:1", ...container }] });
const found = (...objects: object[]) =>
  discoverReferences(asManifest(...objects)).map(({ kind, reference, path }) => `${kind} ${reference} ${path}`);

describe("discoverReferences", () => {
  it("finds what the kubelet pulls, in every kind of pod", () => {
    const spec = {
      initContainers: [{ image: "a:1" }],
      containers: [{ image: "b:1" }],
      volumes: [{ image: { reference: "v:1" } }],
    };
    const cron = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "x" },
      spec: { jobTemplate: { spec: { template: { spec } } } },
    };
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { ephemeralContainers: [{ image: "e:1" }] },
    };
    expect(found(cron, pod)).toEqual([
      "image a:1 /spec/jobTemplate/spec/template/spec/initContainers/0/image",
      "image b:1 /spec/jobTemplate/spec/template/spec/containers/0/image",
      "image v:1 /spec/jobTemplate/spec/template/spec/volumes/0/image/reference",
      "image e:1 /spec/ephemeralContainers/0/image",
    ]);
  });

  it.each([
    [
      "an argument",
      deployment({ args: ["--v=2", `--solver-image=${planted}`] }),
      "/spec/template/spec/containers/0/args/1",
    ],
    [
      "an environment variable",
      deployment({ env: [{ name: "A", value: planted }] }),
      "/spec/template/spec/containers/0/env/0/value",
    ],
    ["JSON in a ConfigMap", aConfigMap({ a: { gatewayImage: planted } }), "/data/key!/a/gatewayImage"],
    [
      "JSON in YAML in a ConfigMap",
      aConfigMap(`outer:\n  inner: |\n    {"list": ["x", "${planted}"]}\n`),
      "/data/key!/outer/inner!/list/1",
    ],
    ["plain text in a ConfigMap", aConfigMap(`run ${planted} now`), "/data/key"],
  ])("finds an image in %s", (_name, object, path) => {
    expect(found(object)).toContain(`image ${planted} ${path}`);
  });

  it("finds an image without a registry where the key says that it is one", () => {
    expect(found(aConfigMap({ proxy: { image: "envoy:v1.30" }, version: "envoy:v1.31" }))).toEqual([
      "image envoy:v1.30 /data/key!/proxy/image",
    ]);
    expect(found(deployment({ args: ["--proxy-image=envoy:v1.30", "--name=envoy:v1.31"] }))).toContain(
      "image envoy:v1.30 /spec/template/spec/containers/0/args/0",
    );
  });

  it.each([
    [
      "a variable's name",
      deployment({
        env: [
          { name: "AGENT_IMAGE", value: "agent:1" },
          { name: "A", value: "b:2" },
        ],
      }),
    ],
    ["the flag before it", deployment({ args: ["--agent-image", "agent:1", "--name", "b:2", "c:3"] })],
    ["a line of an env file", aConfigMap("export AGENT_IMAGE=agent:1\nNAME=b:2\n")],
    ["a variable that operators read", deployment({ env: [{ name: "RELATED_IMAGE_AGENT", value: "agent:1" }] })],
    ["a flag in a script", aConfigMap("kubectl run x --image=agent:1 --restart=Never\nkubectl get b:2 --names c:3\n")],
    ["a flag and its word in a script", aConfigMap("tool --agent-image 'agent:1' \\\n  --imagery d:4\n")],
    ["a line of properties", aConfigMap("a.agent.image = agent:1\r\nname = b:2\n")],
  ])("finds an image without a registry by %s", (_what, object) => {
    expect(found(object).filter((each) => !each.includes("harbor/x:1"))).toEqual([
      expect.stringMatching(/^image agent:1 /),
    ]);
  });

  it("puts an image together of which the parts stand side by side", () => {
    const resource = (spec: object): object => ({ apiVersion: "a/v1", kind: "Cluster", metadata: { name: "c" }, spec });
    const digest = `sha256:${"a".repeat(64)}`;
    expect(
      found(
        resource({
          hosted: { repository: "quay.io/a/b", tag: "1" },
          apart: { registry: "r.example:5000", repository: "a/c", tag: "2", digest },
          prefixed: { imageRepository: "quay.io/a/d", imageTag: "3" },
          image: { repository: "a/e", digest },
          chart: { repository: "a/f", tag: "4" },
          git: { repository: "https://git.example/a.git", tag: "5" },
          bare: { repository: "quay.io/a/g" },
        }),
      ),
    ).toEqual([
      "image quay.io/a/b:1 /spec/hosted/repository",
      `image r.example:5000/a/c:2@${digest} /spec/apart/repository`,
      "image quay.io/a/d:3 /spec/prefixed/imageRepository",
      `image a/e@${digest} /spec/image/repository`,
    ]);
  });

  it("finds modules: WasmPlugin URLs with and without a scheme, remote code of an EnvoyFilter, oci:// in a variable", () => {
    const plugin = (url: string): object => ({
      apiVersion: "extensions.higress.io/v1alpha1",
      kind: "WasmPlugin",
      metadata: { name: url.length.toString() },
      spec: { url },
    });
    const remote = { code: { remote: { http_uri: { uri: "https://files.example.com/m.wasm", cluster: "c" } } } };
    const filter = {
      apiVersion: "networking.istio.io/v1alpha3",
      kind: "EnvoyFilter",
      metadata: { name: "f" },
      spec: { configPatches: [{ patch: { value: { vm_config: remote } } }] },
    };
    expect(
      found(plugin("oci://r.example.com/p:1"), plugin("r.example.com/q:1"), plugin("https://h/p.wasm"), filter),
    ).toEqual([
      "plugin oci://r.example.com/p:1 /spec/url",
      "plugin r.example.com/q:1 /spec/url",
      "plugin https://h/p.wasm /spec/url",
      "plugin https://files.example.com/m.wasm /spec/configPatches/0/patch/value/vm_config/code/remote/http_uri/uri",
    ]);
    expect(found(deployment({ env: [{ name: "A", value: "oci://r.example.com/p:1" }] }))).toContain(
      "plugin oci://r.example.com/p:1 /spec/template/spec/containers/0/env/0/value",
    );
  });

  it("reads lists as an export of a cluster has them", () => {
    const list = { apiVersion: "v1", kind: "List", items: [deployment({ image: planted })] };
    expect(found(list)).toEqual([`image ${planted} /spec/template/spec/containers/0/image`]);
  });

  it("takes no pattern, no URL of a page, no API group, and no prose of a CRD for a reference", () => {
    const crd = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "x" },
      spec: { description: planted },
    };
    const strings = [
      "oci://r.example.com/plugins/${name}:${version}",
      "https://docs.example.com/a:1",
      "networking.k8s.io/v1",
      "type.googleapis.com/envoy.config.core.v3.Node",
      "10.0.0.0/8",
      "22:22",
    ];
    expect(found(crd, aConfigMap({ strings }))).toEqual([]);
  });

  it("finds a planted reference at any depth, in any mix of arguments, variables, JSON and YAML", () => {
    const noise = fc.stringMatching(/^[a-z]{1,8}$/);
    const wrapped = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.constant(planted),
        fc.record({ before: noise, list: fc.tuple(noise, tie("node")) }),
        tie("node").map((inner) => JSON.stringify({ inner })),
        tie("node").map((inner) => dump({ key: inner, more: "x" }, { noRefs: true })),
        tie("node").map((inner) =>
          typeof inner === "string" && !inner.includes("\n") ? `--flag=${inner}` : { inner },
        ),
      ),
    })).node;
    fc.assert(
      fc.property(wrapped, fc.constantFrom("args", "env", "data"), (node, place) => {
        const text = typeof node === "string" ? node : JSON.stringify(node);
        const object =
          place === "data"
            ? aConfigMap(text)
            : deployment(place === "args" ? { args: [text] } : { env: [{ name: "A", value: text }] });
        expect(found(object).some((line) => line.startsWith(`image ${planted} `))).toBe(true);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  it("refuses a manifest that is none, and says where", () => {
    expect(() => discoverReferences("kind: [")).toThrow(/MANIFEST_INVALID.*1:/);
  });

  it("ends on a hostile string inside a string", () => {
    const bomb = "abcdefghi"
      .split("")
      .map(
        (name, at, all) =>
          `${name}: &${name} [${Array.from({ length: 10 }, () => (at === 0 ? "x" : `*${all[at - 1] ?? ""}`)).join(", ")}]`,
      );
    expect(found(aConfigMap(`${bomb.join("\n")}\nimage: ${planted}`))).toEqual([`image ${planted} /data/key`]);
  });
});
