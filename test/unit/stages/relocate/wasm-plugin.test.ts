import fc from "fast-check";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { loadTyped } from "../../../../src/std/yaml.ts";
import { rewriteWasmPlugins, type WasmPluginOptions } from "../../../../src/stages/relocate/wasm-plugin.ts";

const source = "oci://public.example.com/plugins/";
const digest = "c".repeat(64);
const options: WasmPluginOptions = {
  targetOf: (url) =>
    url.startsWith(source) ? { url: url.replace(source, "oci://harbor:8443/p/plugins/"), sha256: digest } : undefined,
  pullSecret: "pull",
};
const head = "apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata:\n  name: x\n";
const rewritten = (text: string, given = options): string => rewriteWasmPlugins(text, given).text;

describe("rewriteWasmPlugins", () => {
  it("changes the URL and adds the pull secret, and nothing else in the file", () => {
    const before = `# who wrote this\n${head}spec:\n  url: ${source}a:1   # the plugin\n  priority: 0010\n  defaultConfig:\n    on: yes # kept\n---\nkind: ConfigMap\ndata: { x: ${source}a:1 }\n`;
    const { text, moved, findings } = rewriteWasmPlugins(before, options);
    expect(text).toBe(
      before.replace(
        `  url: ${source}a:1   # the plugin\n`,
        "  url: oci://harbor:8443/p/plugins/a:1   # the plugin\n  imagePullSecret: pull\n",
      ),
    );
    expect(moved).toEqual([{ plugin: "WasmPlugin/x", from: `${source}a:1`, to: "oci://harbor:8443/p/plugins/a:1" }]);
    expect(findings).toEqual([]);
  });

  it.each([
    [
      "double quotes",
      `spec:\n  url: "${source}a:1"\n`,
      'spec:\n  url: "oci://harbor:8443/p/plugins/a:1"\n  imagePullSecret: pull\n',
    ],
    [
      "single quotes",
      `spec:\n  url: '${source}a:1'\n`,
      "spec:\n  url: 'oci://harbor:8443/p/plugins/a:1'\n  imagePullSecret: pull\n",
    ],
    [
      "a flow map",
      `spec: {url: ${source}a:1, priority: 1}\n`,
      "spec: {url: oci://harbor:8443/p/plugins/a:1, imagePullSecret: pull, priority: 1}\n",
    ],
    [
      "a block scalar",
      `spec:\n  url: >-\n    ${source}a:1\n  priority: 1\n`,
      "spec:\n  url: >-\n    oci://harbor:8443/p/plugins/a:1\n  imagePullSecret: pull\n  priority: 1\n",
    ],
    [
      "no newline at the end",
      `spec:\n  url: ${source}a:1`,
      "spec:\n  url: oci://harbor:8443/p/plugins/a:1\n  imagePullSecret: pull",
    ],
    [
      "fields that are there",
      `spec:\n  imagePullSecret: old\n  sha256: "${"a".repeat(64)}"\n  url: ${source}a:1\n`,
      `spec:\n  imagePullSecret: pull\n  sha256: "${digest}"\n  url: oci://harbor:8443/p/plugins/a:1\n`,
    ],
    [
      "an empty field",
      `spec:\n  imagePullSecret:\n  url: ${source}a:1\n`,
      "spec:\n  imagePullSecret: pull\n  url: oci://harbor:8443/p/plugins/a:1\n",
    ],
  ])("keeps the writing of %s", (_name, before, after) => {
    expect(rewritten(head + before)).toBe(head + after);
  });

  it("rewrites JSON as JSON", () => {
    const json = JSON.stringify({
      apiVersion: "extensions.higress.io/v1alpha1",
      kind: "WasmPlugin",
      spec: { url: `${source}a:1` },
    });
    expect(JSON.parse(rewritten(json))).toMatchObject({
      spec: { url: "oci://harbor:8443/p/plugins/a:1", imagePullSecret: "pull" },
    });
  });

  it("opens lists, as an export of a cluster has them, and skips empty documents before them", () => {
    const item = head.replaceAll("\n", "\n    ").trimEnd();
    const list = `---\n---\napiVersion: v1\nkind: List\nitems:\n  - ${item}\n    spec:\n      url: ${source}a:1\n`;
    expect(rewritten(list)).toContain("      url: oci://harbor:8443/p/plugins/a:1\n      imagePullSecret: pull\n");
  });

  it("leaves other kinds, other groups and other URLs alone", () => {
    const others = [
      `${head.replace("WasmPlugin", "Other")}spec:\n  url: ${source}a:1\n`,
      `${head.replace("higress.io", "evil.io")}spec:\n  url: ${source}a:1\n`,
      `${head}spec:\n  url: file:///opt/plugins/a.wasm\n`,
      `${head}spec: {}\n`,
    ].join("---\n");
    expect(rewritten(others)).toBe(others);
  });

  it("adds no pull secret to what comes over http", () => {
    const http: WasmPluginOptions = {
      targetOf: () => ({ url: "http://files/a.wasm" }),
      pullSecret: "pull",
    };
    expect(rewritten(`${head}spec:\n  url: ${source}a:1\n`, http)).toBe(`${head}spec:\n  url: http://files/a.wasm\n`);
  });

  it.each([
    ["settings: { image: x }", "spec.settings.image", "spec.url"],
    ["imagePullSecrets: [{ name: a }]", "spec.imagePullSecrets", "spec.imagePullSecret"],
    ["failStrategyy: FAIL_OPEN", "spec.failStrategyy", "spec.failStrategy"],
    ["config: {}", "spec.config", "spec.defaultConfig"],
    ["selector: {}", "spec.selector", expect.stringContaining("spec.url | ") as string],
    ["constructor: {}", "spec.constructor", expect.stringContaining("spec.url | ") as string],
  ])("names the unknown field in %s", (line, field, instead) => {
    expect(rewriteWasmPlugins(`${head}spec:\n  url: x\n  ${line}\n`, options).findings).toEqual([
      { severity: "error", code: "plugin.unknown-field", facts: { manifest: "WasmPlugin/x", field, instead } },
    ]);
  });

  it("knows that Istio's own WasmPlugin has a selector", () => {
    const istio = head.replace("extensions.higress.io", "extensions.istio.io");
    expect(rewriteWasmPlugins(`${istio}spec:\n  selector: {}\n`, options).findings).toEqual([]);
  });

  it("refuses a manifest that is none, with a Failure", () => {
    expect(() => rewritten("a: [")).toThrow(/MANIFEST_INVALID/);
  });

  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
  const spec = fc.record({
    url: fc.tuple(name, fc.constantFrom("", '"', "'")).map(([plugin, quote]) => `${quote}${source}${plugin}:1${quote}`),
    comment: fc.constantFrom("", " # 注释 keep", "   # a: b"),
    before: fc.constantFrom("", "  imagePullSecret: other # mine\n", "  # only a comment\n", "  sha256: abc\n"),
    after: fc.constantFrom("", "  defaultConfig:\n    yes: 0644 # octal\n", "  matchRules: [{ domain: ['*'] }]\n"),
    newline: fc.constantFrom("\n", "\r\n"),
  });
  const manifest = fc
    .array(spec, { minLength: 1, maxLength: 4 })
    .map((specs) =>
      specs
        .map(({ url, comment, before, after, newline }) =>
          `${head}spec:\n${before}  url: ${url}${comment}\n${after}`.replaceAll("\n", newline),
        )
        .join("---\n"),
    );

  it("does the same once and twice, leaves no source behind, and keeps every comment", () => {
    fc.assert(
      fc.property(manifest, (text) => {
        const once = rewritten(text);
        expect(rewritten(once)).toBe(once);
        expect(once).not.toContain(source);
        const comments = (of: string): readonly string[] => of.match(/#.*/g) ?? [];
        expect(comments(once)).toEqual(comments(text));
        for (const document of once.split(/^---\r?\n/m)) {
          const { spec: read } = load(document) as { spec: { url: string; imagePullSecret: string } };
          expect(read.url).toMatch(/^oci:\/\/harbor:8443\/p\/plugins\//);
          expect(read.imagePullSecret).toBe("pull");
        }
      }),
      { seed: 9, numRuns: 300 },
    );
  });
});

describe("a url behind a merge key", () => {
  const to = "oci://harbor.corp/higress/plugins/key-auth:2.0.0";
  const targetOf = (url: string) => (url === "oci://public.example/plugins/key-auth:2.0.0" ? { url: to } : undefined);
  const head = "apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nmetadata: { name: a }\n";
  const common = "x-common: &common\n  url: oci://public.example/plugins/key-auth:2.0.0\n";

  it.each([
    ["in lines", "spec:\n  # kept\n  <<: *common\n  phase: AUTHN\n"],
    ["on one line", "spec: { <<: *common, phase: AUTHN }\n"],
  ])("%s is moved as the cluster reads it, and only for this plugin", (_how, spec) => {
    const { text, moved } = rewriteWasmPlugins(`${common}${head}${spec}`, { targetOf, pullSecret: "pull" });
    expect(moved).toHaveLength(1);
    expect(text.startsWith(common)).toBe(true);
    const [plugin] = loadTyped(text) as { spec: object }[];
    expect(plugin?.spec).toEqual({ url: to, imagePullSecret: "pull", phase: "AUTHN" });
    expect(rewriteWasmPlugins(text, { targetOf, pullSecret: "pull" }).text).toBe(text);
  });
});
