import { describe, expect, it } from "vitest";
import { renderedDocuments } from "../../../../src/model/rendered-object.ts";
import { withHelmOwnership } from "../../../../src/stages/relocate/helm-ownership.ts";

const release = { release: "higress", namespace: "higress-system" };
const labels = { "app.kubernetes.io/managed-by": "Helm" };
const annotations = { "meta.helm.sh/release-name": "higress", "meta.helm.sh/release-namespace": "higress-system" };
const marked = (text: string) => renderedDocuments(withHelmOwnership(text, release));

describe("Helm's marks in a rendered manifest", () => {
  it("are written beside what is there, in whatever style it is written", () => {
    const styles = {
      block: "kind: A\nmetadata:\n  name: x\n  labels:\n    # why\n    a: b\n  annotations:\n    on: yes\n",
      flow: 'kind: A\nmetadata: {name: x, labels: {a: b}, annotations: {"on": yes}}\n',
      json: '{"kind":"A","metadata":{"name":"x","labels":{"a":"b"},"annotations":{"on":"yes"}}}',
      alias: "kind: A\nbase: &l {a: b}\nmetadata:\n  name: x\n  labels: *l\n  annotations:\n    on: yes\n",
      merged: "kind: A\nbase: &l\n  a: b\nmetadata:\n  name: x\n  labels:\n    <<: *l\n  annotations:\n    on: yes\n",
      other:
        "kind: A\nmetadata:\n  name: x\n  labels:\n    a: b\n    app.kubernetes.io/managed-by: chart\n  annotations:\n    on: yes\n",
    };
    for (const [style, text] of Object.entries(styles))
      expect(marked(text), style).toMatchObject([
        { metadata: { name: "x", labels: { a: "b", ...labels }, annotations: { on: "yes", ...annotations } } },
      ]);
  });

  it("make the maps that there are none of", () => {
    const none = "kind: A\nmetadata:\n  name: x\nspec:\n  mode: 0644\n";
    const empty = "kind: A\nmetadata:\n  name: x\n  labels:\n  annotations: null\nspec: {mode: 0644}\n";
    const flow = "kind: A\nmetadata: {name: x, labels: {}, annotations: {}}\nspec: {mode: 0644}\n";
    for (const text of [none, empty, flow]) {
      expect(marked(text)).toEqual([
        { kind: "A", metadata: { name: "x", labels, annotations }, spec: { mode: "0644" } },
      ]);
      expect(withHelmOwnership(text, release)).toContain("mode: 0644");
    }
  });

  it("are on each object of a list and of several documents, and on no hook", () => {
    const list = "kind: List\nitems:\n- metadata:\n    name: one\n  kind: A\n- kind: B\n  metadata: {name: two}\n";
    const hook = 'kind: Job\nmetadata:\n  name: h\n  annotations:\n    "helm.sh/hook": pre-install\n';
    const [first, second, third] = marked(`${list}---\n${hook}---\nkind: C\nmetadata:\n  name: three\n`);
    expect(first).toMatchObject({ items: [{ metadata: { labels } }, { metadata: { labels } }] });
    expect(second).toEqual({ kind: "Job", metadata: { name: "h", annotations: { "helm.sh/hook": "pre-install" } } });
    expect(third).toMatchObject({ metadata: { name: "three", labels, annotations } });
  });

  it("written twice are written once, and an object without metadata is refused", () => {
    const once = withHelmOwnership("kind: A\nmetadata:\n  name: x\n", release);
    expect(renderedDocuments(withHelmOwnership(once, release))).toEqual(renderedDocuments(once));
    expect(() => withHelmOwnership("kind: A\nspec: {}\n", release)).toThrow(/CHART_UNUSABLE/);
  });
});
