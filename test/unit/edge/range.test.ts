import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accepts, parseRange, select } from "../../../src/edge/server/answer.ts";

const number = fc.oneof(fc.nat(20), fc.nat(), fc.constantFrom("", "007", "9".repeat(15), "9".repeat(16), "-1", "1e3"));
const rangeLike = fc.oneof(
  fc.tuple(fc.constantFrom("bytes=", "Bytes= ", "bits=", ""), number, fc.constantFrom("-", "--", ","), number),
  // A header is bytes.
  fc.tuple(fc.string({ unit: fc.nat(255).map((byte) => String.fromCharCode(byte)) })),
);

describe("parseRange", () => {
  it("never throws and never selects a byte outside", () => {
    fc.assert(
      fc.property(rangeLike, fc.oneof(fc.constant(0), fc.nat(20), fc.nat()), (parts, size) => {
        const range = parseRange(parts.join(""), size);
        if (typeof range === "string") return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.last).toBeGreaterThanOrEqual(range.first);
        expect(range.last).toBeLessThan(size);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("selects what slice selects, for every range that lies inside", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), fc.nat(50), (a, b, more) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const size = last + 1 + more;
        expect(parseRange(`bytes=${first}-${last}`, size)).toEqual({ first, last });
        expect(parseRange(`bytes=${first}-`, size)).toEqual({ first, last: size - 1 });
        expect(parseRange(`bytes=-${last + 1}`, size)).toEqual({ first: size - last - 1, last: size - 1 });
      }),
      { seed: 1 },
    );
  });

  it.each([
    [undefined, 10, "whole"],
    ["bytes=5-4", 10, "whole"],
    ["bytes=-", 10, "whole"],
    ["bytes=0-1,3-4", 10, "whole"],
    ["bytes=10-", 10, "unsatisfiable"],
    ["bytes=-0", 10, "unsatisfiable"],
    ["bytes=0-", 0, "unsatisfiable"],
    ["bytes=-99", 10, { first: 0, last: 9 }],
  ])("reads %s of %i bytes as %j", (header, size, range) => {
    expect(parseRange(header, size)).toEqual(range);
  });
});

describe("select", () => {
  it.each([
    [{ "if-none-match": '"a"' }, "unmodified"],
    [{ "if-none-match": "*" }, "unmodified"],
    [{ "if-none-match": '"b", W/"a"', range: "bytes=0-1" }, "unmodified"],
    [{ "if-none-match": '"ab"' }, "whole"],
    [
      { range: "bytes=0-1", "if-range": '"a"' },
      { first: 0, last: 1 },
    ],
    [{ range: "bytes=0-1", "if-range": 'W/"a"' }, "whole"],
    [{ range: "bytes=0-1", "if-range": "Sun, 22 Nov 2026 03:00:00 GMT" }, "whole"],
  ])("weighs %j as %j", (headers, selection) => {
    expect(select(headers, '"a"', 10)).toEqual(selection);
  });
});

describe("accepts", () => {
  it.each([
    [undefined, true],
    ["", true],
    ["*/*", true],
    ["text/html, application/*;q=0.1", true],
    ["APPLICATION/JSON; charset=utf-8", true],
    ["application/json;q=0", false],
    ["application/json5", false],
    ["text/*", false],
  ])("holds %s against application/json: %s", (header, expected) => {
    expect(accepts(header, "application/json")).toBe(expected);
  });
});
