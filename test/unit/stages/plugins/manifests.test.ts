import { describe, expect, it } from "vitest";
import { pluginManifests } from "../../../../src/stages/plugins/manifests.ts";

const manifest = (spec: string, name = "block"): string =>
  `apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: ${name}, namespace: higress-system}\nspec:\n${spec.replace(/^/gm, "  ")}`;
const only = (spec: string) => pluginManifests(manifest(spec), "p.yaml")[0]!;
const configOf = (spec: string): unknown => {
  const { config } = only(`url: oci://r/p:1\n${spec}`);
  return config === undefined || config === "" ? config : JSON.parse(config);
};

describe("pluginManifests", () => {
  it("finds every WasmPlugin of a file and passes over the rest", () => {
    const text = [
      "kind: ConfigMap\napiVersion: v1",
      manifest("url: oci://r/a:1", "a"),
      "",
      `apiVersion: v1\nkind: List\nitems:\n- ${manifest("url: oci://r/b:1", "b").replaceAll("\n", "\n  ")}`,
    ].join("\n---\n");
    expect(pluginManifests(text, "p.yaml").map(({ name, url }) => [name, url])).toEqual([
      ["a", "oci://r/a:1"],
      ["b", "oci://r/b:1"],
    ]);
  });

  it.each<[string, string, unknown]>([
    ["a raw configuration before everything", "pluginConfig: {a: 1}\ndefaultConfig: {b: 2}", { a: 1 }],
    ["the default configuration", "defaultConfig: {a: 1}", { a: 1 }],
    ["nothing", "priority: 1", ""],
    [
      "rules beside the default",
      "defaultConfig: {a: 1}\nmatchRules: [{domain: [x.corp], config: {b: 2}}]",
      { a: 1, _rules_: [{ b: 2, _match_domain_: ["x.corp"] }] },
    ],
    [
      "rules alone, when the default is off",
      "defaultConfig: {a: 1}\ndefaultConfigDisable: true\nmatchRules: [{ingress: [r], service: [s.dns], config: {b: 2}}]",
      { _rules_: [{ b: 2, _match_route_: ["r"], _match_service_: ["s.dns"] }] },
    ],
    ["no rule that is switched off", "matchRules: [{ingress: [r], configDisable: true, config: {b: 2}}]", ""],
  ])("gives a plugin %s", (_name, spec, wanted) => {
    expect(configOf(spec)).toEqual(wanted);
  });

  it("gives no configuration to what is switched off, for the gateway never loads it", () => {
    expect(configOf("defaultConfigDisable: true\nmatchRules: [{ingress: [r], configDisable: true}]")).toBeUndefined();
  });

  it("points out fields that no CRD has, and those that were meant", () => {
    const { findings } = only("settings: {image: x}\nimagePullSecrets: [a]\nurll: oci://r/p:1");
    expect(findings.map(({ code, facts }) => [code, facts])).toEqual([
      ["plugin.unknown-field", { manifest: "p.yaml: block", field: "spec.settings.image", instead: "spec.url" }],
      [
        "plugin.unknown-field",
        { manifest: "p.yaml: block", field: "spec.imagePullSecrets", instead: "spec.imagePullSecret" },
      ],
      ["plugin.unknown-field", { manifest: "p.yaml: block", field: "spec.urll", instead: "spec.url" }],
    ]);
  });

  it("refuses a configuration whose aliases grow without end, and says where YAML is wrong", () => {
    const levels = Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]`);
    const bomb = manifest(`pluginConfig:\n  l0: &l0 x\n${levels.map((line) => `  ${line}`).join("\n")}`);
    expect(() => pluginManifests(bomb, "p.yaml")).toThrow("CONFIG_INVALID");
    expect(() => pluginManifests("kind: WasmPlugin\na: [", "p.yaml")).toThrow("p.yaml:2:");
  });

  it("survives what is no manifest at all", () => {
    for (const text of ["", "- 1\n- [2]", "kind: WasmPlugin", "null", manifest("matchRules: nonsense")])
      expect(() => pluginManifests(text, "p.yaml")).not.toThrow();
    expect(() => pluginManifests("a: [", "p.yaml")).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }) as Error,
    );
  });
});
