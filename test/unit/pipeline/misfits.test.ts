import { describe, expect, it } from "vitest";
import { Failure } from "../../../src/model/failure.ts";
import { RelocationMap, type ValuesLayer } from "../../../src/model/relocation.ts";
import { splitPath, type Values } from "../../../src/model/values.ts";
import type { LoadedChart } from "../../../src/pipeline/build-ports.ts";
import type { PlannedChart } from "../../../src/pipeline/install-plan.ts";
import { misfits, refusedValues } from "../../../src/pipeline/misfits.ts";

function found(values: Values, { map = "1.0.0", files = [] as readonly string[] } = {}) {
  const chart: Partial<LoadedChart> = {
    name: "c",
    version: "1.0.0",
    valuesFiles: files,
    values,
    relocation: RelocationMap.parse({
      apiVersion: "higress-airgap/v1",
      kind: "RelocationMap",
      chart: "c",
      version: map,
      images: [],
    }),
    read: {
      defaults: {
        gateway: { hub: "", labels: {}, tolerations: [] },
        typed: { on: true, port: 80, mode: "auto", map: { a: 1 }, list: ["a"], none: {}, nothing: null },
      },
      read: ["gateway.hub", "gateway.imagePullSecrets", "console.podEnvs"].map(splitPath),
    },
  };
  return misfits(chart as LoadedChart);
}

describe("values and a map that are not about this chart", () => {
  it("tells a key that nothing reads, with the nearest that something does", () => {
    expect(found({ gateway: { hubb: "x" } }, { files: ["gatway: { hub: y }\n"] })).toMatchObject([
      { severity: "warning", code: "chart.value-unread", facts: { path: "gatway.hub", near: "gateway.hub" } },
      { severity: "warning", code: "chart.value-unread", facts: { path: "gateway.hubb", near: "gateway.hub" } },
    ]);
  });

  it.each<[string, Values]>([
    ["what a template reads", { gateway: { imagePullSecrets: [{ name: "a" }] } }],
    ["what is below something that is read whole", { console: { podEnvs: { A: "1" } } }],
    ["what is below an empty map", { gateway: { labels: { a: "b" } } }],
    ["a list", { gateway: { tolerations: [{ key: "a" }] } }],
    ["nothing", {}],
  ])("says nothing of %s", (_what, values) => {
    expect(found(values)).toEqual([]);
  });

  it("tells a value of another type than the chart has, without what it says, and which text helm takes for true", () => {
    const typed = { on: "false", port: [1], map: "secret-word", list: "a" };
    const told = found({ typed }, { files: ["typed: { on: no, mode: { a: b } }\n"] });
    expect(told.map(({ code, facts }) => [code, facts])).toEqual(
      [
        ["typed.mode", "{…}", '"…"'],
        ["typed.on", '"false"', "true"],
        ["typed.port", "[…]", "80"],
        ["typed.map", '"…"', "{…}"],
        ["typed.list", '"…"', "[…]"],
      ].map(([path, value, standing]) => ["chart.value-type", { chart: "c 1.0.0", path, value, standing }]),
    );
    // YAML 1.1 of a values file knows more words than true; the spec knows none of them.
    expect(found({}, { files: ["typed: { on: no }\n"] })).toEqual([]);
    expect(found({ typed: { on: "no" } })).toMatchObject([{ facts: { path: "typed.on", value: '"no"' } }]);
    const fine = { on: false, port: "80", mode: true, map: null, list: [], none: [1], nothing: { a: 1 } };
    expect(found({ typed: fine })).toEqual([]);
  });

  it("tells a map of another release", () => {
    expect(found({}, { map: "1.0.1" })).toMatchObject([
      { severity: "warning", code: "relocation.other-chart", facts: { chart: "c 1.0.0", map: "c 1.0.1" } },
    ]);
  });
});

describe("a site's value that a chart is refused for", () => {
  const own = [
    { from: "site.yaml: values", layer: { good: 1 } },
    { from: "--set", layer: { bad: 2 } },
  ];
  const said = new Failure("HELM_FAILED", { action: "helm template", exit: "1", output: "Error: no" });
  const render = (layers: readonly ValuesLayer[]): Promise<void> =>
    layers.some((layer) => Object.hasOwn(layer as object, "bad")) ? Promise.reject(said) : Promise.resolve();

  it.each([
    ["below the relocation", [{ global: {} }]],
    ["where a chart is looked at without it", []],
  ])("is named with its place, %s", async (_where, relocation) => {
    const values = [{ bundled: 0 }, ...own.map(({ layer }) => layer), ...relocation];
    const chart = { name: "c", version: "1.0.0", own, values } as unknown as PlannedChart;
    expect(await refusedValues(said, chart, render)).toMatchObject({
      code: "SITE_VALUE_REFUSED",
      facts: { chart: "c 1.0.0", values: "bad (--set)" },
    });
  });
});
