import { describe, expect, it } from "vitest";
import { crdNames } from "../../../../src/stages/apply/objects.ts";

const crd = (name: string) =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ${name}}\n`;

describe("crdNames", () => {
  it("names each CRD of all files once, and nothing else", () => {
    const other = "kind: ConfigMap\nmetadata: {name: a}\n";
    expect(crdNames([`${crd("a.x.io")}---\n${other}`, crd("b.x.io"), crd("a.x.io")])).toEqual(["a.x.io", "b.x.io"]);
  });

  it.each([
    ["ends in ---", `${crd("a.x.io")}---\n`],
    ["begins with a document of comments", `---\n# generated\n---\n${crd("a.x.io")}`],
    ["has an object without metadata", `kind: CustomResourceDefinition\nmetadata:\n---\n${crd("a.x.io")}`],
  ])("reads a file that %s", (_what, text) => {
    expect(crdNames([text])).toEqual(["a.x.io"]);
  });

  it("refuses a file that is no YAML", () => {
    expect(() => crdNames(["a: [", crd("a.x.io")])).toThrow("CHART_UNUSABLE");
  });
});
