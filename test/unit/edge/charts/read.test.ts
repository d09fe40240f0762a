import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readChart } from "../../../../src/edge/charts/read.ts";
import { packed, type PackedFile } from "../../../rig/charts/packed.ts";

const about = { path: "c/Chart.yaml", text: "name: c\nversion: 1.0.0\nappVersion: 2.10\n" };
const crd = (path: string): PackedFile => ({ path, text: `# ${path}` });

describe("readChart", () => {
  it("finds the CRDs of the chart and of its subcharts, packed or not, and nothing else", async () => {
    const inner = packed([{ path: "d/Chart.yaml", text: "name: d\nversion: 1.0.0\n" }, crd("d/crds/inner.yaml")]);
    const files = [
      about,
      crd("c/crds/a.yaml"),
      crd("c/charts/b/crds/deep/b.yml"),
      crd("c/templates/crds/no.yaml"),
      crd("c/crds/README.md"),
    ];
    const chart = await readChart(packed([...files, { path: "c/charts/d-1.0.0.tgz", text: inner }]));
    expect(chart.crds.map(({ name }) => name)).toEqual([
      "c/crds/a.yaml",
      "c/charts/b/crds/deep/b.yml",
      "d/crds/inner.yaml",
    ]);
    expect(chart).toMatchObject({ name: "c", version: "1.0.0", newest: 5, metadata: { name: "c" } });
  });

  it("has one bound for all charts packed in one another", async () => {
    const files = Array.from({ length: 10_200 }, (_, at) => crd(`d/templates/${at}.yaml`));
    const inner = packed([{ path: "d/Chart.yaml", text: "name: d\nversion: 1.0.0\n" }, crd("d/crds/a.yaml"), ...files]);
    const outer = (...names: string[]) =>
      packed([about, ...names.map((name) => ({ path: `c/charts/${name}.tgz`, text: inner }))]);
    expect((await readChart(outer("a"))).crds).toHaveLength(1);
    await expect(readChart(outer("a", "b"))).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
      facts: { why: expect.stringContaining("too large") as string },
    });
  });

  it.each<[string, Uint8Array, string]>([
    ["what is no gzip", Buffer.from("plain"), "gzip"],
    ["nothing", Buffer.alloc(0), "gzip"],
    ["no Chart.yaml", packed([crd("c/values.yaml")]), "Chart.yaml"],
    ["two charts", packed([about, { ...about, path: "d/Chart.yaml" }]), "Chart.yaml"],
    ["a Chart.yaml without a version", packed([{ path: "c/Chart.yaml", text: "name: c\n" }]), "version"],
    ["a Chart.yaml that is no YAML", packed([{ path: "c/Chart.yaml", text: "a: [" }]), "Chart.yaml:1:"],
    ["a link", packed([about, { path: "c/crds/l.yaml", type: "SymbolicLink" }]), "SymbolicLink"],
    ["a hard link", packed([about, { path: "c/crds/l.yaml", type: "Link" }]), "Link"],
    ["a device", packed([about, { path: "c/dev", type: "CharacterDevice" }]), "CharacterDevice"],
    ["a name that leaves", packed([about, crd("c/../../etc/x")]), "outside"],
    ["a name twice", packed([about, crd("c/crds/a.yaml"), crd("c/crds/a.yaml")]), "twice"],
    ["half an archive", packed([about, crd("c/crds/a.yaml")]).subarray(0, 60), ""],
    ["a bomb", packed([about, { path: "c/crds/z.yaml", text: "\0".repeat(15 * 1024 ** 2) }]), ""],
    // Looked at as a whole it has a ratio of 17: by then all of it is in memory, and with it up to 4 GiB.
    [
      "a bomb before its fuse",
      gzipSync(Buffer.concat([Buffer.alloc(64 * 1024 ** 2), randomBytes(4 * 1024 ** 2)])),
      "ratio",
    ],
  ])("refuses %s", async (_name, bytes, why) => {
    await expect(readChart(bytes)).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
      facts: { why: expect.stringContaining(why) as string },
    });
  });
});
