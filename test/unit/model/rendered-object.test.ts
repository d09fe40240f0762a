import { describe, expect, it } from "vitest";
import { isFailure } from "../../../src/model/failure.ts";
import { typedObjects } from "../../../src/model/rendered-object.ts";

describe("typedObjects", () => {
  it("reads a key that stands twice as Kubernetes does: charts have such, and the API server takes them", () => {
    expect(typedObjects("kind: A\nspec: { a: 1 }\nspec: { a: 2 }\n---\n---\nplain\n")).toEqual([
      { kind: "A", spec: { a: 2 } },
    ]);
  });

  it("names what is no YAML, and where", () => {
    const read = (): unknown => typedObjects("a: [1\nb: 2\n", "higress");
    expect(read).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }) as Error);
    try {
      read();
    } catch (error) {
      expect(isFailure(error, "MANIFEST_INVALID") && error.facts).toMatchObject({ what: "higress" });
    }
  });
});
