import { describe, expect, it } from "vitest";
import { byNamespace, partsOf, printParts } from "../../../src/pipeline/manifest-parts.ts";

const object = (name: string, more = "") => `kind: A\nmetadata:\n  name: ${name}\n${more}`;
const text = [
  "---\n# Source: nothing\n",
  `---\n# Source: a\n${object("a", "data:\n  on: 0644\n  text: |\n    ---\n    no boundary\n")}`,
  `--- # with a word\n${object("b", "  namespace: kube-system\n")}`,
  `---\n${object("c", "  namespace: higress-system\n")}`,
].join("");

describe("the documents of a manifest", () => {
  it("go by namespace, as they are written; what names none goes with the release", () => {
    const parts = byNamespace(partsOf(text), "higress-system");
    expect([...parts.keys()]).toEqual(["higress-system", "kube-system"]);
    expect(printParts(parts.get("higress-system") ?? [])).toBe(
      `\n# Source: a\n${object("a", "data:\n  on: 0644\n  text: |\n    ---\n    no boundary\n")}\n---\n\n${object("c", "  namespace: higress-system\n")}`,
    );
    expect(printParts(parts.get("kube-system") ?? [])).toBe(`\n${object("b", "  namespace: kube-system\n")}`);
  });

  it("are none where nothing is rendered", () => {
    expect(partsOf("---\n# nothing\n---\n")).toEqual([]);
  });
});
