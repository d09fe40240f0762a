import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadBundleSpec } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import { discoverReferences } from "../../src/stages/discover/discover.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aBlob, type Graph } from "../rig/builders/graph.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { everythingOn } from "../rig/charts/everything-on.ts";
import { cli } from "../rig/cli.ts";
import { aDockerRegistry } from "../rig/registry-process.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

const chart = process.env["HIGRESS_CHART"];
const because = chart === undefined ? " (skipped: HIGRESS_CHART names no packed Higress chart 2.2.4)" : "";

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

describe.skipIf(chart === undefined)(`the real Higress chart${because}`, () => {
  it("is built with every image and plugin under its real name, and renders with nothing pointing outside", async () => {
    await using folder = await aTempDirectory();
    await using source = await aDockerRegistry();
    const { helm } = await tools("4.2");
    const packed = join(folder.path, "higress-2.2.4.tgz");
    await copyFile(chart ?? "", packed);
    await using driver = await openHelm(helm, { env: { PATH: "/usr/bin:/bin" } });
    const plain = await driver.template(
      {
        chart: packed,
        release: "higress",
        namespace: "higress-system",
        kubeVersion: "1.30.0",
        values: [everythingOn],
      },
      { includeCrds: true },
    );
    const images = discoverReferences(plain).filter(({ kind }) => kind === "image");
    const spec = await loadBundleSpec("manifests/higress/2.2.4/bundle.yaml");
    const plugins = spec.plugins.list.map(
      ({ name, ref }) => [ref, aWasmPlugin({ module: aProxyPlugin({}, { data: name }) })] as const,
    );
    await seed(source.url, {
      ...standIns([...new Set(images.map(({ reference }) => reference))]),
      ...Object.fromEntries(plugins),
    });

    const [first] = spec.charts;
    const mirrored = Object.fromEntries(
      [
        ...new Set(
          [
            ...images.map(({ reference }) => reference),
            ...spec.plugins.list.map(({ ref }) => ref.replace("oci://", "")),
          ].map((name) => name.split("/")[0] ?? ""),
        ),
      ].map((host) => [host, { endpoints: [{ url: source.url }] }]),
    );
    const changed = {
      ...spec,
      charts: [
        {
          ...first,
          from: packed,
          relocation: resolve("manifests/higress/2.2.4/relocation.yaml"),
          values: everythingOn,
        },
      ],
      // The console image is a stand-in without a jar, so the list alone says which plugins there are.
      plugins: { ...spec.plugins, discover: false },
      registries: mirrored,
    };
    const specPath = join(folder.path, "bundle.yaml");
    await writeFile(specPath, JSON.stringify(changed));
    const bundle = join(folder.path, "higress.tar");
    const built = await cli(["build", specPath, "--out", bundle, "--helm", helm], { cwd: folder.path });
    expect(built, built.stderr).toMatchObject({ exitCode: 0 });

    const listed = await cli(["inspect", bundle, "--json"], { cwd: folder.path });
    const { items } = JSON.parse(listed.stdout) as { items: { kind: string }[] };
    expect(items.filter(({ kind }) => kind === "image")).toHaveLength(
      new Set(images.map(({ reference }) => reference)).size,
    );
    expect(items.filter(({ kind }) => kind === "plugin")).toHaveLength(spec.plugins.list.length);

    const site = await writeSampleSite(folder.path, { host: "harbor.airgap.example", url: source.url });
    const rendered = await cli(["render", bundle, "--site", site, "--out", join(folder.path, "out"), "--helm", helm], {
      cwd: folder.path,
    });
    expect(rendered, rendered.stderr).toMatchObject({ exitCode: 0 });
    const proof = JSON.parse(await readFile(join(folder.path, "out", "proof.json"), "utf8")) as {
      findings: unknown[];
      images: number;
    };
    expect(proof.findings).toEqual([]);
    expect(proof.images).toBeGreaterThan(10);
  }, 300_000);
});
