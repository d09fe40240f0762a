import { describe, expect, it } from "vitest";
import type { Patch } from "../../../../src/model/relocation.ts";
import { patchManifest, relocationPatches } from "../../../../src/stages/relocate/relocate.ts";
import { parseRelocationMap } from "../../../../src/edge/files/config.ts";

const patch = (change: Partial<Patch> = {}): Patch => ({
  kind: "Deployment",
  name: "app",
  path: "/spec/template/spec/initContainers/*/image",
  from: "busybox:1.36",
  to: "harbor.corp/p/library/busybox:1.36",
  ...change,
});

const manifest = (image: string, name = "app"): string => `# Source: x
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} } # 0644
spec: { template: { spec: { initContainers: [{ image: other:1 }, { image: ${image}, mode: 0644 }] } } }
`;

describe("a patch", () => {
  it.each([
    ["plain", "busybox:1.36", "harbor.corp/p/library/busybox:1.36"],
    ["quoted", '"busybox:1.36"', '"harbor.corp/p/library/busybox:1.36"'],
    ["in single quotes", "'busybox:1.36'", "'harbor.corp/p/library/busybox:1.36'"],
  ])("changes the string that it names, %s, and not one byte more", (_what, before, after) => {
    const others = `${manifest("busybox:1.36", "else")}---\n`;
    expect(patchManifest(`${others}${manifest(before)}`, [patch()])).toBe(`${others}${manifest(after)}`);
  });

  it.each([
    ["another tag", manifest("busybox:1.36.1")],
    ["another repository", manifest("acme/busybox:1.36")],
    ["another object", manifest("busybox:1.36", "app-2")],
    ["a list that is none", "kind: Deployment\nmetadata: { name: app }\nspec: { template: none }\n"],
    ["an empty document", "---\n---\n"],
  ])("leaves %s alone", (_what, text) => {
    expect(patchManifest(text, [patch()])).toBe(text);
  });

  it.each([
    ["quay.io", "harbor.corp/p"],
    ["quay.io/acme/tool", "harbor.corp/p/acme/tool"],
    ["--from=quay.io/acme,other", "--from=harbor.corp/p/acme,other"],
    ["cdn.quay.io/a", "cdn.quay.io/a"],
    ["quay.io.example/a", "quay.io.example/a"],
    ["quay.io:8443/a", "quay.io:8443/a"],
    ["user@quay.io", "user@quay.io"],
  ])("of a registry alone moves what is below it, and nothing else: %s", (before, after) => {
    expect(patchManifest(manifest(before), [patch({ from: "quay.io", to: "harbor.corp/p" })])).toBe(manifest(after));
  });

  it("changes any object of its kind where the name is *", () => {
    const text = `${manifest("busybox:1.36", "app-x7f2q")}---\n${manifest("busybox:1.36", "app").replace("Deployment", "Job")}`;
    const [first = "", second = ""] = patchManifest(text, [patch({ name: "*" })]).split("---\n");
    expect(first).toBe(manifest("harbor.corp/p/library/busybox:1.36", "app-x7f2q"));
    expect(second).toContain("image: busybox:1.36");
  });

  it("reaches the objects of a list", () => {
    const item = '{ kind: Pod, metadata: { name: app }, spec: { containers: [{ image: "a:1" }] } }';
    const text = `kind: List\nitems:\n  - null\n  - ${item}\n`;
    const listed = patch({ kind: "Pod", path: "/spec/containers/*/image", from: "a:1", to: "h/a:1" });
    expect(patchManifest(text, [listed])).toBe(text.replace("a:1", "h/a:1"));
  });

  it("reaches behind base64, one after the other, and encodes what it made", () => {
    const encoded = (text: string): string => Buffer.from(text).toString("base64");
    const secret = (text: string, quote: string): string =>
      `kind: Secret\nmetadata: { name: s }\ndata: { a.yaml: ${quote}${encoded(text)}${quote} }\n`;
    const behind = (from: string, to: string): Patch =>
      patch({ kind: "Secret", name: "s", path: "/data/a.yaml (base64)!/image", from, to });
    const patches = [behind("a:1", "h/a:1"), behind("b:2", "h/b:2")];
    for (const quote of ["", '"', "'"])
      expect(patchManifest(secret("image: a:1\nother: b:2\n", quote), patches)).toBe(
        secret("image: h/a:1\nother: h/b:2\n", quote),
      );
  });

  it("reaches into documents inside strings, twice in one string, and is idempotent", () => {
    const text =
      'kind: ConfigMap\nmetadata: { name: c }\ndata:\n  a.yaml: |\n    one: busybox:1.36\n    two: ["nginx:1"]\n';
    const inside = (from: string, to: string): Patch =>
      patch({ kind: "ConfigMap", name: "c", path: "/data/a.yaml!/x", from, to });
    const patches = [inside("busybox:1.36", "h/busybox:1.36"), inside("nginx:1", "h/nginx:1")];
    const patched = patchManifest(text, patches);
    expect(patched).toBe(text.replace("busybox", "h/busybox").replace("nginx", "h/nginx"));
    expect(patchManifest(patched, patches)).toBe(patched);
  });

  it("has its placeholders filled in for a site and a release", () => {
    const map = parseRelocationMap(
      JSON.stringify({
        apiVersion: "higress-airgap/v1",
        kind: "RelocationMap",
        chart: "c",
        version: "1.0.0",
        images: [],
        patches: [patch({ name: "{release}-app", to: "{prefix}/library/busybox:1.36" })],
      }),
      "map.yaml",
    );
    const target = { registry: "h", project: "p", prefix: "h/p", namespace: "n", plugins: new Map<string, string>() };
    expect(relocationPatches(map, target, "r")).toEqual([patch({ name: "r-app", to: "h/p/library/busybox:1.36" })]);
  });

  it("with a placeholder that nothing fills in is refused where the map is read", () => {
    const wrong = { apiVersion: "higress-airgap/v1", kind: "RelocationMap", chart: "c", version: "1.0.0", images: [] };
    const text = JSON.stringify({ ...wrong, patches: [patch({ to: "{prefx}/x" })] });
    expect(() => parseRelocationMap(text, "map.yaml")).toThrow("{prefx}");
  });
});
