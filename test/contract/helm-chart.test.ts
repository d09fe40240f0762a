import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRelocationMap } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import type { HelmSource } from "../../src/model/helm.ts";
import type { RelocationTarget } from "../../src/model/relocation.ts";
import { discoverReferences, findGaps } from "../../src/stages/discover/discover.ts";
import { renderedObjects } from "../../src/model/rendered-object.ts";
import { prove, workloadsWithoutPullSecret } from "../../src/stages/prove/prove.ts";
import { relocationValues } from "../../src/stages/relocate/relocate.ts";
import { packSampleChart, sampleChart } from "../rig/charts/pack.ts";
import { helmLines, tools } from "../rig/tools.ts";

const target: RelocationTarget = {
  registry: "harbor.corp:8443",
  project: "mirror",
  prefix: "harbor.corp:8443/mirror",
  namespace: "higress-system",
  pullSecret: "pull",
  plugins: new Map([["mcp-server", "oci://harbor.corp:8443/mirror/plugins/mcp-server:2.0.1"]]),
};

let folder = "";
let chart = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "helm-chart-test-"));
  chart = await packSampleChart(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const source = (...values: HelmSource["values"]): HelmSource => ({
  chart,
  release: "higress",
  namespace: "higress-system",
  kubeVersion: "1.30.0",
  values,
});

describe.each(helmLines)("a chart like Higress's, rendered by Helm %s", (line) => {
  const open = async () => openHelm((await tools(line)).helm, { env: process.env, workDirectory: folder });

  it("names its images, also those of the hook, the argument and the JSON in a ConfigMap", async () => {
    await using helm = await open();
    const found = discoverReferences(await helm.template(source(), { includeCrds: true }));
    expect(new Set(found.map(({ reference }) => reference))).toEqual(new Set(sampleChart.images));
    expect(found.map(({ where, path }) => `${where} ${path}`)).toEqual(
      expect.arrayContaining([
        "ConfigMap/higress-system/istio-sidecar-injector /data/values!/gatewayImage",
        "Deployment/higress-system/cert-manager /spec/template/spec/containers/0/args/2",
        "Job/higress-system/cert-manager-startupapicheck /spec/template/spec/containers/0/image",
      ]),
    );
  });

  it("takes a release that looks like an option for a bad name, and starts no program of that name", async () => {
    await using helm = await open();
    const marker = join(folder, `started-${line}`);
    const program = join(folder, "renderer.sh");
    await writeFile(program, `#!/bin/sh\ntouch '${marker}'\ncat\n`, { mode: 0o755 });
    const rendering = helm.template({ ...source(), release: `--post-renderer=${program}` }, { includeCrds: true });
    await expect(rendering).rejects.toMatchObject({ code: "HELM_FAILED" });
    await expect(readFile(marker)).rejects.toThrow("ENOENT");
  });

  it("reads values files as helm does, and lays later ones over them: off is false, and no text", async () => {
    await using helm = await open();
    const certManager = async (...values: HelmSource["values"]) =>
      (await helm.template(source(...values), { includeCrds: true })).includes("cert-manager-startupapicheck");
    const off = "higress-console:\n  certmanager:\n    enabled: off\n";
    expect(await certManager()).toBe(true);
    expect(await certManager(off)).toBe(false);
    expect(await certManager(off, { "higress-console": { certmanager: { enabled: true } } })).toBe(true);
    expect(await certManager({ "higress-console": { certmanager: { enabled: true } } }, off)).toBe(false);
    // Nothing of it stays.
    expect((await readdir(folder, { recursive: true })).filter((name) => name.includes("values-"))).toEqual([]);
  });

  it("points nowhere outside once it is relocated, and keeps its own namespace as root", async () => {
    await using helm = await open();
    const map = await loadRelocationMap(sampleChart.relocation);
    const moved = await helm.template(source(relocationValues(map, target, { pluginMode: "oci" })), {
      includeCrds: true,
    });
    const proof = prove(renderedObjects(moved), { inside: { prefixes: [target.prefix] } });
    expect(proof.findings).toEqual([]);
    expect(proof.images).toBe(6);
    expect(moved).toContain("rootNamespace: higress-system");
    expect(workloadsWithoutPullSecret(moved).map(({ workload }) => workload)).toEqual([
      "Deployment/cert-manager",
      "Job/cert-manager-startupapicheck",
    ]);
  });

  it("shows what a relocation map has forgotten", async () => {
    await using helm = await open();
    const map = await loadRelocationMap(sampleChart.relocation);
    const forgetful = { ...map, images: map.images.filter(({ path }) => !path.startsWith("higress-console.")) };
    const values = relocationValues(forgetful, target, { pluginMode: "oci" });
    const gaps = findGaps(await helm.template(source(values), { includeCrds: true }), { prefixes: [target.prefix] });
    expect(gaps.map(({ facts }) => (facts as { path: string }).path).sort()).toEqual([
      "/spec/template/spec/containers/0/args/2",
      "/spec/template/spec/containers/0/image",
      "/spec/template/spec/containers/0/image",
      "/spec/template/spec/containers/0/image",
    ]);
  });

  it("leaves no values and no folders of its own behind", async () => {
    const before = await readdir(folder);
    {
      await using helm = await open();
      const rendered = await helm.template(source({ higress: "x" }), { includeCrds: false });
      expect(rendered).not.toContain("CustomResourceDefinition");
      const [own = ""] = (await readdir(folder)).filter((name) => !before.includes(name));
      expect((await readdir(join(folder, own))).filter((name) => name.startsWith("values-"))).toEqual([]);
    }
    expect(await readdir(folder)).toEqual(before);
  });

  it("says what helm said when a chart cannot be rendered, without its values", async () => {
    await using helm = await open();
    const broken = join(folder, "broken.tgz");
    await writeFile(broken, "not a chart");
    await expect(
      helm.template({ ...source({ password: "hunter2" }), chart: broken }, { includeCrds: true }),
    ).rejects.toMatchObject({ code: "HELM_FAILED", facts: { action: "template", exit: "1" } });
  });
});

describe("packSampleChart", () => {
  it("makes the same bytes every time", async () => {
    const again = await packSampleChart(join(folder, "again"));
    expect(await readFile(again)).toEqual(await readFile(chart));
  });
});

describe("openHelm", () => {
  const script = async (name: string, version: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\necho "${version}"\n`, { mode: 0o755 });
    return path;
  };

  it.each(["v3.16.4", "v4.0.1", "v2.17.0", "a program that is not helm"])("refuses %s", async (version) => {
    const binary = await script(`helm-${version.replaceAll(" ", "-")}`, version);
    await expect(openHelm(binary, { env: process.env })).rejects.toMatchObject({ code: "TOOL_UNSUITABLE" });
  });

  it.each(["v3.17.0", "v3.21.1", "v4.1.0", "v5.0.0-rc.1"])("takes %s", async (version) => {
    await using helm = await openHelm(await script(`helm-${version}`, version), { env: process.env });
    expect(`v${helm.version}`).toBe(version);
  });

  it("says which program it looked for when there is none", async () => {
    await expect(openHelm(join(folder, "nowhere"), { env: {} })).rejects.toMatchObject({ code: "TOOL_MISSING" });
  });
});
