import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readChart } from "../../../src/edge/charts/read.ts";
import { storedChart } from "../../../src/edge/charts/stored-chart.ts";

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString("base64");
const metadata = { apiVersion: "v2", name: "gw", version: "1.0.0" };
const kept = (plain: string | Uint8Array): object => ({ data: { release: base64(base64(gzipSync(plain))) } });
const release = (chart: object): object => kept(JSON.stringify({ name: "x", chart: { metadata, ...chart } }));
const file = (name: string): object => ({ name, data: base64("kind: A\n") });

describe("the chart that helm keeps in a release", () => {
  it("is packed with its templates, files, values and schema", async () => {
    const chart = {
      templates: [file("templates/a.yaml")],
      files: [file("crds/a.yaml")],
      values: { a: "yes" },
      schema: base64("{}"),
    };
    const packed = await storedChart(release(chart), "gw");
    expect(await readChart(packed ?? new Uint8Array())).toMatchObject({ name: "gw", crds: [{ text: "kind: A\n" }] });
  });

  it("is none where it has charts below it, of which helm keeps nothing", async () => {
    expect(
      await storedChart(release({ metadata: { ...metadata, dependencies: [{ name: "core" }] } }), "gw"),
    ).toBeUndefined();
  });

  it.each([
    ["a path that climbs", release({ templates: [file("../../etc/passwd")] })],
    ["an absolute path", release({ files: [file("/etc/passwd")] })],
    ["a name of a chart that is a path", release({ metadata: { ...metadata, name: "../gw" } })],
    ["a path that no tar can hold", release({ files: [file(`${"a".repeat(200)}.yaml`)] })],
    ["a bomb", kept(Buffer.alloc(140 * 1024 ** 2))],
    ["nesting without end", kept("[".repeat(100_000))],
    ["no JSON", kept("hunter2")],
    ["no gzip", { data: { release: base64(base64("hunter2")) } }],
    ["no Secret of helm's", { data: { other: "hunter2" } }],
  ])("refuses %s, and quotes nothing of it", async (_, secret) => {
    const failure: unknown = await storedChart(secret, "gw").catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CHART_UNUSABLE" });
    expect(JSON.stringify((failure as { facts: object }).facts)).not.toContain("hunter2");
  });
});
