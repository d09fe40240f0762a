import { describe, expect, it } from "vitest";
import { readChartValues } from "../../../../src/edge/charts/values.ts";
import { packed } from "../../../rig/charts/packed.ts";

const about = { path: "c/Chart.yaml", text: "name: c\nversion: 1.0.0\n" };
const chart = (template: string, values = "a: 1\n") =>
  packed([about, { path: "c/values.yaml", text: values }, { path: "c/templates/x.yaml", text: template }]);
const lines = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join("\n");
const readBy = async (template: string) => (await readChartValues(chart(template))).read.map((path) => path.join("."));

describe("readChartValues", () => {
  it("knows what templates read, straight and through a variable", async () => {
    expect(await readBy("{{ .Values.a.b }} {{- $x := .Values.c -}} {{ $x.d }} {{ $y.e }}")).toEqual([
      "a.b",
      "c",
      "c.d",
    ]);
    const twice = "{{ $x := default (dict) .Values.c }}{{ $x := .Values.e }}{{ $x.d }}";
    expect(await readBy(twice)).toEqual(["c", "e", "c.d", "e.d"]);
  });

  it.each([
    ["variables that are never assigned", lines(200_000, (at) => `$a${at}:=`)],
    ["values that never end", `{{ $a := ${lines(60_000, (at) => `.Values${at}.Values`).replaceAll("\n", "")}`],
    ["one variable of many values", lines(20_000, (at) => `{{$a:=.Values.b${at}}}{{$a.c}}`)],
  ])("goes over a template once: %s", async (_what, template) => {
    expect((await readChartValues(chart(template))).defaults).toEqual({ a: 1 });
  });

  it("goes over values once that no YAML are", async () => {
    const values = `a: [\n${"]\n".repeat(1024 ** 2)}`;
    await expect(readChartValues(chart("", values))).rejects.toMatchObject({ code: "CHART_UNUSABLE" });
  });
});
