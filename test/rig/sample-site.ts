import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { anImage, anIndex } from "./builders/images.ts";
import { aBlob, type Graph } from "./builders/graph.ts";
import { aWasmPlugin } from "./builders/plugins.ts";
import { packSampleChart, sampleChart } from "./charts/pack.ts";
import { aProxyPlugin } from "./wasm/module.ts";

const { registry } = sampleChart;

/** What the sample's public registry holds: every image for two platforms over one shared base, and plugins in each shape. */
export function sampleContent(layerSize = 20_000): Readonly<Record<string, Graph>> {
  const base = { amd64: aBlob(layerSize), arm64: aBlob(layerSize + 1) };
  const image = (name: string) =>
    anIndex(
      Object.fromEntries(
        (["amd64", "arm64"] as const).map((architecture) => [
          `linux/${architecture}`,
          anImage({ architecture, layers: [base[architecture], aBlob(`${name} for ${architecture}`)] }),
        ]),
      ),
    );
  const images = sampleChart.images.map((reference) => [reference, image(reference)] as const);
  const plugin = (name: string, layout: "oci" | "compat" | "single") =>
    [`${registry}/plugins/${name}:2.0.1`, aWasmPlugin({ module: aProxyPlugin({}, { data: name }), layout })] as const;
  return Object.fromEntries([
    ...images,
    plugin("key-auth", "oci"),
    plugin("cors", "compat"),
    plugin("waf", "single"),
    plugin("mcp-server", "oci"),
  ]);
}

/** The spec that a user would write for it; `mirror` is where the public host's content really is. */
export async function writeSampleSpec(folder: string, mirror: string): Promise<string> {
  const chart = await packSampleChart(folder);
  const plugin = (name: string) => ({ name, ref: `oci://${registry}/plugins/${name}:2.0.1`, version: "1.0.0" });
  const spec = {
    apiVersion: "higress-airgap/v1",
    kind: "BundleSpec",
    name: "higress",
    version: "2.2.4",
    platforms: ["linux/amd64", "linux/arm64"],
    kubeVersion: "1.30.0",
    charts: [{ name: sampleChart.name, version: sampleChart.version, from: chart, relocation: sampleChart.relocation }],
    plugins: { mcpServer: "mcp-server", list: ["key-auth", "cors", "waf", "mcp-server"].map(plugin) },
    registries: { [registry]: { endpoints: [{ url: mirror }] } },
  };
  const path = join(folder, "bundle.yaml");
  await writeFile(path, JSON.stringify(spec, undefined, 2));
  return path;
}

export interface SiteOptions {
  readonly host: string;
  /** Where `host` really is on this machine. */
  readonly url: string;
  readonly ca?: string;
  readonly username?: string;
  readonly passwordFile?: string;
  readonly kubeconfig?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function writeSampleSite(folder: string, options: SiteOptions): Promise<string> {
  const { host, url, ca, username, passwordFile, kubeconfig, more } = options;
  const credentials = username === undefined ? {} : { credentials: { username, passwordFile } };
  const site = {
    apiVersion: "higress-airgap/v1",
    kind: "Site",
    registry: { host, project: "higress", ...(ca === undefined ? {} : { ca }), ...credentials },
    cluster: { rolloutSeconds: 60, ...(kubeconfig === undefined ? {} : { kubeconfig }) },
    plugins: { watchSeconds: 1, enable: ["key-auth"] },
    registries: { [host]: { endpoints: [{ url, ...(ca === undefined ? {} : { ca }), ...credentials }] } },
    ...more,
  };
  const path = join(folder, "site.yaml");
  await writeFile(path, JSON.stringify(site, undefined, 2));
  return path;
}
