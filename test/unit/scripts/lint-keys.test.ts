import { describe, expect, it } from "vitest";
import { lintKeys } from "../../../scripts/lint-keys.mjs";

const texts = (leaf: string): ReadonlyMap<string, string> =>
  new Map([
    ["src/top.ts", 'import { middle } from "./in/middle.ts";'],
    ["src/in/middle.ts", 'export type { Leaf } from "../leaf.ts"; export const middle = () => import("../circle.ts");'],
    ["src/leaf.ts", leaf],
    ["src/circle.ts", 'import "./top.ts";'],
    ["src/apart.ts", ""],
  ]);
const changed = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): readonly string[] =>
  [...a.keys()].filter((path) => a.get(path) !== b.get(path));

describe("lintKeys", () => {
  it("stay the same while nothing changes", () => {
    expect(changed(lintKeys(texts("1"), ""), lintKeys(texts("1"), ""))).toEqual([]);
  });

  it("change with whatever is imported, however far, by type and lazily too, and with nothing else", () => {
    const paths = changed(lintKeys(texts("1"), ""), lintKeys(texts("2"), ""));
    expect(paths).toEqual(["src/top.ts", "src/in/middle.ts", "src/leaf.ts", "src/circle.ts"]);
  });

  it("change all with what decides about all", () => {
    expect(changed(lintKeys(texts("1"), "a"), lintKeys(texts("1"), "b"))).toHaveLength(5);
  });
});
