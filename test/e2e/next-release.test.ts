import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { renderedObjects } from "../../src/model/rendered-object.ts";
import { prove } from "../../src/stages/prove/prove.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { besideImages, packBeside } from "../rig/charts/beside.ts";
import { companyChart, madeChart } from "../rig/charts/made.ts";
import { nextRelease, packNextRelease } from "../rig/charts/next-release.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { cli, type CliResult } from "../rig/cli.ts";
import { aCluster, clusterUnavailable } from "../rig/cluster.ts";
import { aKubelet } from "../rig/fake-kubelet.ts";
import { isReady, podWhere } from "../rig/pod-where.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";
import { aConsoleImage, aConsoleJar, anSdkJar, aSpec } from "../rig/wasm/console.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

const unavailable = dockerRegistryUnavailable() ?? clusterUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const namespace = "higress-system";
const host = "harbor.airgap.example:8443";
const { registry } = sampleChart;
const plugins = ["key-auth", "brand-new", "mcp-server"];

const said = (result: CliResult): string => `${result.stdout}\n${result.stderr}`;

/** What of the release and of the charts beside it names an image, as they land. */
const landed = [
  ...["higress/data-plane:1.0.0", "next/assistant:1.0.0", "tools/agent:3.1", "library/busybox:1.36"],
  ...[
    "nacos/nacos-server:v2.3.2",
    "nacos/nacos-peer-finder-plugin:1.1",
    "team/exporter",
    "team/agent:4",
    "team/side:5",
  ],
];

function expectInside(objects: string): void {
  expect(prove(renderedObjects(objects), { inside: { prefixes: [`${host}/higress`] } }).findings).toEqual([]);
  for (const name of landed) expect(objects).toContain(`${host}/higress/${name}`);
}

/** As the release's own registry has it: the console names a plugin that no list of ours has. */
function published() {
  const entries = plugins.map((name) => {
    const spec = name === "key-auth" ? { phase: "AUTHN", priority: 310, category: "auth" } : {};
    const url = `oci://${registry}/plugins/${name}:3.0.0`;
    return [name, { url, spec: aSpec({ name, version: "1.0.0", ...spec }) }] as const;
  });
  const console = aConsoleImage(aConsoleJar(anSdkJar(Object.fromEntries(entries))));
  const images = [...nextRelease.images, ...besideImages].map(
    (name) => [name, anIndex({ "linux/amd64": anImage() })] as const,
  );
  const modules = plugins.map(
    (name) =>
      [
        `${registry}/plugins/${name}:3.0.0`,
        aWasmPlugin({ module: aProxyPlugin({}, { data: name }), layout: "oci" }),
      ] as const,
  );
  return Object.fromEntries([...images, ...modules, [nextRelease.console, anIndex({ "linux/amd64": console })]]);
}

describe.skipIf(unavailable !== undefined)(`a release that nobody here has seen${because}`, () => {
  const carried = { folder: "", bundle: "", said: "" };

  beforeAll(async () => {
    const folder = await aTempDirectory();
    carried.folder = folder.path;
    carried.bundle = join(folder.path, "next.tar");
    await buildUntouched();
    return () => folder[Symbol.asyncDispose]();
  });

  /** From `init` to the bundle; of the release itself, nothing is said. */
  async function buildUntouched(): Promise<void> {
    const { folder } = carried;
    await using source = await aDockerRegistry();
    await seed(source.url, published());
    const path = join(folder, "bundle.yaml");
    const args = ["--release-version", nextRelease.version, "--platform", "linux/amd64", "--preset", "all"];
    expect(await cli(["init", ...args, "--out", path], { cwd: folder })).toMatchObject({ exitCode: 0 });
    // Where this machine finds the chart and the registries.
    const spec = loadTyped(await readFile(path, "utf8"))[0] as { charts: object[]; plugins: object };
    const [chart] = spec.charts;
    const endpoints = [{ url: source.url }];
    const here = {
      ...spec,
      charts: [{ ...chart, from: await packNextRelease(folder), mirrors: [] }, ...(await packBeside(folder))],
      tools: {},
      // A list that was written for the release before.
      plugins: { ...spec.plugins, list: [{ name: "key-auth", ref: `oci://${registry}/plugins/key-auth:2.0.1` }] },
      registries: Object.fromEntries(
        [registry, "agents.vendor.example", "docker.io", "reg.company.example"].map((name) => [name, { endpoints }]),
      ),
    };
    await writeFile(path, JSON.stringify(here));
    const { helm } = await tools("4.2");
    const built = await cli(["build", path, "--out", carried.bundle, "--helm", helm], { cwd: folder });
    carried.said = said(built);
    expect(built, carried.said).toMatchObject({ exitCode: 0 });
  }

  it("is bundled with what its chart and its console name, and the build says what it found", async () => {
    const { stdout } = await cli(["inspect", carried.bundle, "--json"], { cwd: carried.folder });
    const { items } = JSON.parse(stdout) as { items: { kind: string; reference: string }[] };
    const of = (kind: string): string[] => items.filter((item) => item.kind === kind).map(({ reference }) => reference);
    expect(of("image").sort()).toEqual([...nextRelease.images, ...besideImages, nextRelease.console].sort());
    expect(of("plugin").sort()).toEqual(plugins.map((name) => `${registry}/plugins/${name}:3.0.0`).sort());
    expect(carried.said).toContain("plugin.list-differs");
    expect(carried.said).toContain("key-auth:2.0.1");
    expect(carried.said).toContain("busybox:1.36");
  });

  it.each(["3.17", "4.2"] as const)(
    "is installed by Helm %s with charts of others beside it, points nowhere outside, and goes as it came",
    async (line) => {
      const { helm, kubectl } = await tools(line);
      await using folder = await aTempDirectory();
      await using target = await aDockerRegistry();
      await using cluster = await aCluster();
      await using kubelet = await aKubelet({ cluster, hosts: { [host]: target.url } });
      const values = { replicass: 1, "higress-core": { gateway: { replicas: 1 } } };
      const more = { values };
      const site = await writeSampleSite(folder.path, { host, url: target.url, kubeconfig: cluster.kubeconfig, more });
      const far = async (...words: string[]): Promise<CliResult> => {
        const result = await cli([...words, "--site", site, "--helm", helm, "--kubectl", kubectl], {
          cwd: folder.path,
        });
        expect(result, said(result)).toMatchObject({ exitCode: 0 });
        return result;
      };
      const live = async (kinds: string): Promise<string> =>
        (await execa(kubectl, ["--kubeconfig", cluster.kubeconfig, "-n", namespace, "get", kinds, "-o", "json"]))
          .stdout;
      // No chart reads it, so it is told once; what one of the four reads is no mistake for the others.
      const { stderr } = await far("preflight", carried.bundle);
      expect(stderr.match(/chart\.value-unread[^]*?replicass/g)).toHaveLength(1);
      expect(stderr).not.toContain("reads no higress-core");
      await far("install", carried.bundle);
      await podWhere(cluster, { namespace, labels: { app: "higress-assistant" } }, isReady);

      expect(kubelet.pulled.length).toBeGreaterThan(5);
      const applied = "deployments,statefulsets,jobs,wasmplugins.extensions.higress.io,clusters.acme.example";
      const objects = await live(`${applied},pods,configmaps`);
      expectInside(objects);
      // As the console of that release would have written it.
      expect(objects).toMatch(/"phase": "AUTHN",\s+"priority": 310/);
      expect(objects).toContain('"higress.io/wasm-plugin-category": "auth"');

      await far("check", carried.bundle);
      await far("uninstall", "--yes");
      expect(JSON.parse(await live(applied))).toMatchObject({ items: [] });
    },
  );
});

const teams = "reg.company.example/team/";
const hub = "docker.io/library/";
/** What the company's chart names in any cluster. */
const companyImages = [
  "docker.io/acme/fixed:1",
  ...["busybox:1.36", "listed:1", "made-up:1", "migrate:1", "proxy:4", "secret:1", "upgrade:1", "worker:1"].map(
    (name) => `${hub}${name}`,
  ),
  "docker.io/team/other:1",
  ...["app:1", "backup:2", "exporter:9", "monitor:1", "shared:1", "tools:1"].map((name) => `${teams}${name}`),
];

describe.skipIf(unavailable !== undefined)(`a chart of a company's own${because}`, () => {
  it("is built by one Helm and points nowhere outside with the other, under either name of its release", async () => {
    await using folder = await aTempDirectory();
    await using source = await aDockerRegistry();
    const image = anIndex({ "linux/amd64": anImage() });
    await seed(source.url, Object.fromEntries(companyImages.map((name) => [name, image])));
    const from = join(folder.path, "company-1.0.0.tgz");
    await writeFile(from, madeChart("company", companyChart));
    const endpoints = [{ url: source.url }];
    const spec = {
      ...{ apiVersion: "higress-airgap/v1", kind: "BundleSpec", name: "company", version: "1.0.0" },
      platforms: ["linux/amd64"],
      charts: [{ name: "company", version: "1.0.0", from }],
      plugins: { preset: "none" },
      registries: Object.fromEntries(["docker.io", "reg.company.example"].map((name) => [name, { endpoints }])),
    };
    await writeFile(join(folder.path, "bundle.yaml"), JSON.stringify(spec));
    const [builder, installer] = [await tools("3.17"), await tools("4.2")];
    const run = (...words: string[]): Promise<CliResult> => cli(words, { cwd: folder.path });
    const built = await run("build", "bundle.yaml", "--out", "company.tar", "--helm", builder.helm);
    expect(built, said(built)).toMatchObject({ exitCode: 0 });
    const { items } = JSON.parse((await run("inspect", "company.tar", "--json")).stdout) as {
      items: { kind: string; reference: string }[];
    };
    expect(items.flatMap(({ kind, reference }) => (kind === "image" ? [reference] : [])).sort()).toEqual(companyImages);

    for (const release of ["company", "higress"]) {
      const site = await writeSampleSite(folder.path, {
        host,
        url: "http://127.0.0.1:1",
        more: { plugins: {}, cluster: { release }, values: { shared: { tag: "1" }, imagee: 1 } },
      });
      const rendered = await run("render", "company.tar", "--site", site, "--helm", installer.helm);
      expect(rendered, said(rendered)).toMatchObject({ exitCode: 0 });
      expect(rendered.stderr).toContain("[chart.value-unread]");
      for (const name of ["team/app:1", "team/other", "acme/fixed:1", "library/listed:1", "library/made-up:1"])
        expect(rendered.stdout).toContain(`${host}/higress/${name}`);
      expect(rendered.stdout).not.toContain("reg.company.example");
      expect(rendered.stdout).toContain(
        Buffer.from(`image: ${host}/higress/library/secret:1\nx: y\n`).toString("base64"),
      );
    }
  });
});
