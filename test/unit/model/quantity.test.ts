import { describe, expect, it } from "vitest";
import { parseQuantity } from "../../../src/model/kubernetes.ts";

describe("parseQuantity", () => {
  it.each([
    ["2", 2],
    ["250m", 0.25],
    ["1.5Gi", 1.5 * 1024 ** 3],
    ["16384516Ki", 16384516 * 1024],
    ["1k", 1000],
    ["2E", 2e18],
    ["1Pi", 1024 ** 5],
    ["129e6", 129e6],
    ["1E3", 1000],
    ["128974848000m", 128974848],
    [4, 4],
  ])("reads %j as %d", (value, amount) => {
    expect(parseQuantity(value)).toBeCloseTo(amount, 6);
  });

  it.each(["", "Gi", "1 Gi", "1Xi", "-1", null, undefined, {}])("takes %j for none", (value) => {
    expect(parseQuantity(value)).toBe(0);
  });
});
