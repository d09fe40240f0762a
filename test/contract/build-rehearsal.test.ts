import { describe, expect, it } from "vitest";
import { Failure } from "../../src/model/failure.ts";
import { isManifest } from "../../src/model/media-type.ts";
import { Site } from "../../src/model/site.ts";
import { anIndex } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { madeChart } from "../rig/charts/made.ts";
import { aPlannedBuild, type MadeChart, type PlannedBuild } from "../rig/planned-build.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

const map = (images: string, more = ""): string =>
  `apiVersion: higress-airgap/v1\nkind: RelocationMap\nchart: edge\nversion: 1.0.0\nimages: [${images}]\n${more}`;

const deployment = (name: string, image: string, env = ""): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: x } }
  template:
    metadata: { labels: { app: x } }
    spec: { containers: [{ name: ${name}, image: "${image}", env: [${env}] }] }
`;

/** As releases were before and after the folder moved out of the hub (2.2.1). */
const edge = (files: Readonly<Record<string, string>>, values = ""): MadeChart => ({
  name: "edge",
  version: "1.0.0",
  archive: madeChart("edge", { "values.yaml": values, ...files }),
});
const named = edge(
  {
    "templates/a.yaml":
      deployment("gateway", "{{ .Values.hub }}/gateway:1") + "---\n" + deployment("pilot", "{{ .Values.hub }}/pilot:1"),
  },
  "hub: registry.example/higress\n",
);
const notFound = (action: string): Failure =>
  new Failure("REGISTRY_NOT_FOUND", { host: "registry.example", action, answer: "404" });
const toHub = map('{ path: hub, value: "{prefix}/higress" }');

describe("a build goes through the install that will follow it", () => {
  it("and stops at a map that leaves a folder out, with every reference and where it would land", async () => {
    const wrong = await aPlannedBuild({ chart: named, map: map('{ path: hub, value: "{prefix}" }') });
    expect(wrong.failure).toMatchObject({ code: "FINDINGS", facts: { count: 2 } });
    expect(wrong.findings).toMatchObject(
      ["gateway", "pilot"].map((name) => ({
        code: "reference.not-carried",
        facts: { where: `Deployment/${name}`, value: `registry.placeholder.invalid/placeholder/${name}:1` },
      })),
    );
    expect(await aPlannedBuild({ chart: named, map: toHub })).toMatchObject({ failure: undefined, findings: [] });
  });

  it("before a layer of the console or a plugin is read, and tells beside it what cannot be had", async () => {
    const listed = { name: "key-auth", ref: "oci://registry.example/plugins/key-auth:1.0.0" };
    const gone = "registry.example/higress/pilot:1";
    const built = (images: string) =>
      aPlannedBuild({
        chart: named,
        map: map(images, "console: { kind: Deployment, name: gateway, container: gateway }\n"),
        plugins: { discover: true, mcpServer: "mcp-server", list: [listed] },
        content: { [listed.ref.slice("oci://".length)]: aWasmPlugin({ module: aProxyPlugin({}), layout: "oci" }) },
        otherwise: (reference) => (reference === gone ? notFound(reference) : anIndex()),
      });
    const wrong = await built('{ path: hub, value: "{prefix}" }');
    expect(wrong.findings.map(({ code }) => code)).toEqual(["reference.not-carried", "reference.not-carried"]);
    expect(wrong.failure).toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    expect(wrong.read.filter((mediaType) => !isManifest(mediaType))).toEqual([]);
    expect(wrong.asked.filter((reference) => reference.includes("/plugins/"))).toEqual([]);
    // With the right map it is the image alone that stops it.
    expect(await built('{ path: hub, value: "{prefix}/higress" }')).toMatchObject({ findings: [] });
  });

  it("and stops at a plugin whose URL no gateway can get at from inside", async () => {
    const plugin = (url: string): string =>
      `apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: own }\nspec: { url: "${url}" }\n`;
    const built = (url: string, site?: PlannedBuild["site"]) =>
      aPlannedBuild({ manifests: { "own.yaml": plugin(url) }, ...(site === undefined ? {} : { site }) });
    const url = "https://plugins.vendor.example/own.wasm";
    const outside = await built(url);
    expect(outside.failure).toMatchObject({ code: "FINDINGS" });
    expect(outside.findings).toContainEqual({
      severity: "error",
      code: "plugin.not-carried",
      facts: { plugin: "own", reference: url },
    });
    const site = Site.parse({
      ...{ apiVersion: "higress-airgap/v1", kind: "Site", registry: { host: "harbor.corp", project: "p" } },
      inside: ["*.vendor.example"],
    });
    const declared = { site, userValues: [], userPlugins: [], ca: undefined };
    expect((await built(url, declared)).failure).toBeUndefined();
  });

  it("and stops at CRDs that nobody can read, those of the spec and of a chart, before anything is asked for", async () => {
    const crd = "kind: CustomResourceDefinition\nmetadata: { name: a.example.com }\n";
    const { failure, findings, asked } = await aPlannedBuild({
      chart: edge({ "crds/chart.yaml": "kind: [\n", "templates/a.yaml": deployment("a", "registry.example/a:1") }),
      map: map(""),
      crds: {
        "good.yaml": `${crd}---\n`,
        "torn.yaml": "a: b\n c: d\n",
        "other.yaml": "kind: ConfigMap\nmetadata: { name: a }\n",
        "list.yaml": "- 1\n",
      },
    });
    expect(failure).toMatchObject({ code: "FINDINGS" });
    const unread = findings.filter(({ code }) => code === "manifest.unreadable").map(({ facts }) => facts);
    expect(unread).toMatchObject([
      { file: "crds/torn.yaml", where: "2:3" },
      { file: "crds/other.yaml", why: "no CustomResourceDefinition" },
      { file: "crds/list.yaml", where: "#1" },
      { file: "edge/crds/chart.yaml" },
    ]);
    expect(asked).toEqual([]);
  });

  it("and says a public URL in a new variable, which the site file may declare", async () => {
    const env = '{ name: PORTAL, value: "https://portal.vendor.example/api" }';
    const chart = edge(
      { "templates/a.yaml": deployment("a", "{{ .Values.image }}", env) },
      "image: registry.example/a:1\n",
    );
    const built = await aPlannedBuild({ chart, map: map('{ path: image, value: "{prefix}/a:1" }') });
    expect(built.failure).toBeUndefined();
    expect(built.findings).toMatchObject([
      { severity: "warning", code: "reference.outside", facts: { host: "portal.vendor.example" } },
    ]);
  });

  it("and says which fields stand where a pod has none, as Higress 2.2.1 has it", async () => {
    const misplaced = deployment("gateway", "{{ .Values.hub }}/gateway:1").replace(
      "containers:",
      "imagePullPolicy: Always, containers:",
    );
    const built = await aPlannedBuild({
      chart: edge({ "templates/a.yaml": misplaced }, "hub: registry.example/higress\n"),
      map: toHub,
    });
    expect(built.failure).toBeUndefined();
    const facts = {
      where: "Deployment/gateway",
      path: "/spec/template/spec/imagePullPolicy",
      field: "imagePullPolicy",
    };
    expect(built.findings).toEqual([{ severity: "warning", code: "workload.field-misplaced", facts }]);
  });

  it("and says that the CA of the registry would be laid over nothing", async () => {
    const trust = "trust: [{ kind: Deployment, name: higress-gateway, container: higress-gateway }]\n";
    const built = await aPlannedBuild({ chart: named, map: toHub + trust });
    expect(built.findings).toMatchObject([{ severity: "warning", code: "overlay.no-target" }]);
  });
});

describe("a plugin that a manifest names, and that is an alias of the console's own", () => {
  const registry = "registry.example";
  const own = `${registry}/plugins/request-block:1.0.0`;
  const builtIn = `${registry}/plugins/request-block:2.0.1`;
  const module = (data: string) => aWasmPlugin({ module: aProxyPlugin({}, { data }), layout: "oci" });
  const content = { [own]: module("old"), [builtIn]: module("new") };
  /** A console that is told of its registry, or of a pattern, as the release has it. */
  const built = (version: string, variable: string, value: string, scheme = "oci") =>
    aPlannedBuild({
      chart: {
        ...{ name: "higress", version },
        archive: madeChart(
          "higress",
          {
            "values.yaml": `image: ${registry}/console:1\nenv: {}\n`,
            "templates/a.yaml": deployment(
              "higress-console",
              "{{ .Values.image }}",
              `{{ range $name, $value := .Values.env }}{ name: {{ $name }}, value: "{{ $value }}" }{{ end }}`,
            ),
          },
          version,
        ),
      },
      map: map(
        '{ path: image, value: "{prefix}/console:1" }',
        `plugins: { oci: [{ path: env.${variable}, value: "${value}" }] }`,
      ).replace("chart: edge\nversion: 1.0.0", `chart: higress\nversion: ${version}`),
      plugins: { list: [{ name: "request-block", ref: `oci://${builtIn}`, version: "1.0.0" }] },
      manifests: {
        "own.yaml": `apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: block }\nspec: { url: "${scheme}://${own}" }\n`,
      },
      content,
    });
  const target = "registry.placeholder.invalid/placeholder/plugins/request-block:1.0.0";

  it("keeps its name where the console asks by the real tag", async () => {
    const { failure, findings } = await built("2.2.4", "HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY", "{prefix}");
    expect(failure).toBeUndefined();
    const note = {
      severity: "note",
      code: "plugin.alias-dropped",
      facts: { plugin: "request-block", target, by: own },
    };
    expect(findings).toContainEqual(note);
    expect(findings.filter(({ severity }) => severity !== "note")).toEqual([]);
  });

  // Gateways read a scheme in any case.
  it.each(["oci", "OCI"])(
    "is kept beside it under another name where the console asks by the version: %s",
    async (scheme) => {
      const { failure, findings } = await built(
        "2.1.9",
        "HIGRESS_ADMIN_WASM_PLUGIN_CUSTOM_IMAGE_URL_PATTERN",
        `${scheme}://{prefix}/plugins/\${name}:\${version}`,
        scheme,
      );
      expect(failure).toBeUndefined();
      expect(findings).toContainEqual({
        ...{ severity: "note", code: "plugin.put-elsewhere" },
        facts: {
          reference: own,
          target,
          instead: expect.stringMatching(/:sha256-[0-9a-f]{12}$/) as string,
          by: builtIn,
        },
      });
      expect(findings.filter(({ severity }) => severity !== "note")).toEqual([]);
    },
  );

  it("is asked for at a place that nothing is pushed to: that stops the build", async () => {
    // The console puts its own folder behind it.
    const elsewhere = "{prefix}/plugins";
    const { failure, findings } = await built("2.2.4", "HIGRESS_ADMIN_WASM_PLUGIN_IMAGE_REGISTRY", elsewhere);
    expect(failure).toMatchObject({ code: "FINDINGS" });
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: "plugin.url-unanswered",
        facts: expect.objectContaining({ answer: "404" }) as object,
      }),
    );
  });
});
