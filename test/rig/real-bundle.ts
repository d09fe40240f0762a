import { copyFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadBundleSpec } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import type { BundleSpec } from "../../src/model/spec.ts";
import { discoverReferences } from "../../src/stages/discover/discover.ts";
import { aBlob, type Graph } from "./builders/graph.ts";
import { anImage, anIndex } from "./builders/images.ts";
import { aWasmPlugin } from "./builders/plugins.ts";
import { cli, type CliResult } from "./cli.ts";
import { aDockerRegistry } from "./registry-process.ts";
import { seed } from "./seed.ts";
import { aProxyPlugin } from "./wasm/module.ts";

export interface RealBundleOptions {
  /** A packed Higress chart as it was published. */
  readonly chart: string;
  readonly version: string;
  readonly folder: string;
  readonly helm: string;
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** The release whose spec lists the plugins, where there is none for this one; its map is learned from the chart. */
  readonly like?: string | undefined;
}

export interface RealBundle {
  readonly bundle: string;
  readonly built: CliResult;
  readonly spec: BundleSpec;
  /** What the chart names, found by rendering it. */
  readonly images: ReadonlySet<string>;
}

/** Built from the real chart and our own spec of its release; what images and plugins hold are stand-ins. */
export async function aRealBundle({
  chart,
  version,
  folder,
  helm,
  values = {},
  like,
}: RealBundleOptions): Promise<RealBundle> {
  await using source = await aDockerRegistry();
  const packed = join(folder, `higress-${version}.tgz`);
  await copyFile(chart, packed);
  const images = await imagesOf(packed, helm, values);
  const spec = await loadBundleSpec(`manifests/higress/${like ?? version}/bundle.yaml`);
  const plugins = spec.plugins.list.map(
    ({ name, ref }) => [ref, aWasmPlugin({ module: aProxyPlugin({}, { data: name }) })] as const,
  );
  await seed(source.url, { ...standIns([...images]), ...Object.fromEntries(plugins) });
  const references = [...images, ...spec.plugins.list.map(({ ref }) => ref.replace("oci://", ""))];
  const hosts = new Set(references.map((name) => name.split("/")[0] ?? ""));
  const specPath = join(folder, `bundle-${version}.yaml`);
  const map = like === undefined ? { relocation: resolve(`manifests/higress/${version}/relocation.yaml`) } : {};
  const [first = {}] = spec.charts.map((chart) => ({ ...chart, relocation: undefined }));
  const changed = {
    ...spec,
    version,
    charts: [{ ...first, from: packed, version, mirrors: [], ...map, values }],
    // The console image is a stand-in without a jar, so the list alone says which plugins there are.
    plugins: { ...spec.plugins, discover: false },
    tools: {},
    registries: Object.fromEntries([...hosts].map((host) => [host, { endpoints: [{ url: source.url }] }])),
  };
  await writeFile(specPath, JSON.stringify(changed));
  const bundle = join(folder, `higress-${version}.tar`);
  const built = await cli(["build", specPath, "--out", bundle, "--helm", helm], { cwd: folder });
  return { bundle, built, spec, images };
}

/** Puts stand-ins for all that a chart names where its nodes pull from. */
export async function seedImagesOf(
  url: string,
  { chart, helm, values = {} }: Pick<RealBundleOptions, "chart" | "helm" | "values">,
): Promise<void> {
  await seed(url, standIns([...(await imagesOf(chart, helm, values))]));
}

async function imagesOf(
  chart: string,
  helm: string,
  values: Readonly<Record<string, unknown>>,
): Promise<ReadonlySet<string>> {
  await using driver = await openHelm(helm, { env: { PATH: "/usr/bin:/bin" } });
  const source = { chart, release: "higress", namespace: "higress-system", kubeVersion: "1.30.0" };
  const plain = await driver.template({ ...source, values: [values] }, { includeCrds: true });
  return new Set(
    discoverReferences(plain)
      .filter(({ kind }) => kind === "image")
      .map(({ reference }) => reference),
  );
}

/** Every image under its real name, for both platforms, a few bytes each. */
function standIns(references: readonly string[]): Record<string, Graph> {
  const image = (name: string, architecture: string) =>
    anImage({ architecture, layers: [aBlob(`${name} ${architecture}`)] });
  return Object.fromEntries(
    references.map((name) => [
      name,
      anIndex({ "linux/amd64": image(name, "amd64"), "linux/arm64": image(name, "arm64") }),
    ]),
  );
}
