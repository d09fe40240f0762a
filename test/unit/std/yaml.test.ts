import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../../src/std/nearest.ts";
import { loadStrings, loadTyped, YamlError, lineAndColumn, pathKey, spotsOf } from "../../../src/std/yaml.ts";

describe("loadStrings", () => {
  it("keeps every scalar as it was written, whatever a YAML version would make of it", () => {
    const text =
      'mode: 0644\nyes: no\nport: 22:22\nversion: 1.10\nlarge: 12345678901234567890\nsha: 1e9\nempty:\n"q": "2024-01-02"\n';
    expect(loadStrings(text)).toEqual([
      {
        mode: "0644",
        yes: "no",
        port: "22:22",
        version: "1.10",
        large: "12345678901234567890",
        sha: "1e9",
        empty: "",
        q: "2024-01-02",
      },
    ]);
  });

  it("reads past explicit tags and repeated keys, as a scan must", () => {
    expect(loadStrings("a: !!int 5\nb: !mine x\na: 6\n")).toEqual([{ a: "6", b: "x" }]);
  });

  it("gives empty documents too, so that indexes agree with spotsOf", () => {
    const text = "---\n---\na: 1\n---\n# nothing\n";
    expect(loadStrings(text)).toHaveLength(spotsOf(text).length);
  });

  it("does not let a document change what objects are", () => {
    const [read] = loadStrings("__proto__: { polluted: yes }\n");
    expect(Object.keys(read as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe("loadTyped", () => {
  it("says where it stopped, and holds none of the text", () => {
    try {
      loadTyped("password: hunter2\nb: [");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(YamlError);
      expect(error).toMatchObject({ line: 2 });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("hunter2");
    }
  });
});

describe("spotsOf", () => {
  const text = `# above
a: 'one' # beside
list:
  - x: "two"
    y: |
      block
  - {k: v, e: , n: {m: 1}}
anchored: &q three
alias: *q
empty:
---
b: 2
`;

  it.each([
    [0, ["a"], "'one'"],
    [0, ["list", 0, "x"], '"two"'],
    [0, ["list", 0, "y"], "      block\n"],
    [0, ["list", 1, "k"], "v"],
    [0, ["list", 1, "n", "m"], "1"],
    [0, ["anchored"], "three"],
    [0, ["alias"], "*q"],
    [0, ["empty"], ""],
    [1, ["b"], "2"],
  ] as const)("finds document %i %j", (document, path, written) => {
    const scalar = spotsOf(text)[document]?.get(pathKey(path))?.scalar;
    expect(text.slice(scalar?.start, scalar?.end)).toBe(written);
  });

  it("finds keys, and where maps and lists begin", () => {
    const spots = spotsOf(text)[0];
    const key = spots?.get(pathKey(["list", 0, "x"]))?.key;
    expect(text.slice(key?.start, key?.end)).toBe("x");
    expect(text[spots?.get(pathKey(["list", 1]))?.start ?? 0]).toBe("{");
    expect(lineAndColumn(text, spots?.get(pathKey(["list"]))?.start ?? 0)).toEqual({ line: 4, column: 3 });
  });

  it("finds an empty item of a list behind its dash", () => {
    const text = "a: 1\nlist:\n  - x: 2\n  -\n  - y-z\n  -\n";
    const spots = spotsOf(text)[0];
    const line = (item: number) => lineAndColumn(text, spots?.get(pathKey(["list", item]))?.start ?? 0).line;
    expect([0, 1, 2, 3].map(line)).toEqual([3, 4, 5, 6]);
  });

  it("finds every value of every JSON document", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), (json) => {
        const expected: string[] = [];
        const walk = (value: unknown, path: readonly PropertyKey[]): void => {
          expected.push(pathKey(path));
          if (Array.isArray(value)) value.forEach((entry, at) => walk(entry, [...path, at]));
          else if (typeof value === "object" && value !== null)
            for (const [key, entry] of Object.entries(value)) walk(entry, [...path, key]);
        };
        walk(JSON.parse(json), []);
        expect([...(spotsOf(json)[0]?.keys() ?? [])].sort()).toEqual([...new Set(expected)].sort());
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

describe("nearest", () => {
  it.each([
    ["platfroms", "platforms"],
    ["realease", "release"],
    ["Registries", "registries"],
    ["imagePullSecrets", "imagePullSecret"],
  ])("takes %s for %s", (typed, meant) => {
    expect(nearest(typed, ["platforms", "release", "registries", "imagePullSecret", "name"])).toBe(meant);
  });

  it("takes what only one word begins with for that word, and what two begin with for neither", () => {
    const known = ["kustomize", "argocd", "flux", "uninstall", "plugins list", "plugins check"];
    expect(["argo", "UNINST", "kust", "plugins", "fl"].map((typed) => nearest(typed, known))).toEqual([
      "argocd",
      "uninstall",
      "kustomize",
      undefined,
      undefined,
    ]);
  });

  it("takes nothing for anything", () => {
    expect(nearest("colour", ["platforms", "release", "name"])).toBeUndefined();
  });

  it("counts a swap of neighbours as one mistake, and no word costs more than its length", () => {
    expect(editDistance("ab", "ba")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
      { seed: 5 },
    );
  });
});
