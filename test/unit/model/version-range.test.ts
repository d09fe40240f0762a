import { describe, expect, it } from "vitest";
import { isOlder, newestAfter } from "../../../src/model/version-range.ts";

describe("newestAfter", () => {
  it.each([
    ["2.2.3", "2.2.4"],
    ["2.2.4", undefined],
    ["2.2.4-rc.1", "2.2.5-rc.1"],
    ["1.2", "2.2.4"],
    ["main", undefined],
  ])("%s: %s", (version, newest) => {
    expect(newestAfter(version, ["2.2.4", "2.2.5-rc.1", "nonsense", "2.1.0"])).toBe(newest);
  });
});

describe("isOlder", () => {
  it.each([
    ["2.2.0", "2.2.1", true],
    ["2.10.0", "2.9.9", false],
    ["v2.1", "2.1.1", true],
    ["2.2.4", "2.2.4", false],
    ["2.2.4", "", false],
    ["latest", "2.0.0", false],
  ] as const)("%s before %s: %s", (version, than, wanted) => {
    expect(isOlder(version, than)).toBe(wanted);
  });
});
