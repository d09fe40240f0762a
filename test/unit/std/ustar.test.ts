import fc from "fast-check";
import { Header } from "tar";
import { describe, expect, it } from "vitest";
import { decodeFields, decodeHeader, encodeHeader, tarPadding } from "../../../src/std/ustar.ts";

const header = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9._-]{1,60}(\/[A-Za-z0-9._-]{1,40}){0,2}$/),
  size: fc.oneof(fc.nat(), fc.integer({ min: 8 ** 11 - 2, max: 1024 ** 4 })),
  mode: fc.constantFrom(0o644, 0o755),
  mtime: fc.integer({ min: 0, max: 8 ** 11 - 1 }),
});

describe("encodeHeader", () => {
  it("is read back as it was, by us and by node-tar, sizes over 8 GiB too", () => {
    fc.assert(
      fc.property(header, (fields) => {
        const block = encodeHeader(fields);
        expect(decodeHeader(block)).toEqual({ ...fields, type: "0" });
        const theirs = new Header(block, 0);
        expect(theirs).toMatchObject({ path: fields.name, size: fields.size, mode: fields.mode, cksumValid: true });
        expect(theirs.mtime?.getTime()).toBe(fields.mtime * 1000);
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it.each([
    ["a name that fits neither field", { name: "a".repeat(101) }],
    ["a name that is not ASCII", { name: "charts/é" }],
    ["a negative size", { size: -1 }],
    ["a size that a double does not hold", { size: 2 ** 53 }],
    ["a time before 1970", { mtime: -1 }],
  ])("refuses %s", (_what, wrong) => {
    expect(() => encodeHeader({ name: "a", size: 0, mode: 0o644, mtime: 0, ...wrong })).toThrow(RangeError);
  });
});

describe("decodeHeader", () => {
  it("refuses a block that differs in any one byte from what was written, or reads the same fields", () => {
    const fields = { name: "blobs/sha256/ab", size: 5, mode: 0o644, mtime: 9 };
    const block = encodeHeader(fields);
    for (let at = 0; at < block.byteLength; at += 1) {
      const bad = Buffer.from(block);
      bad[at] = (bad[at] ?? 0) ^ 0x01;
      const read = decodeHeader(bad);
      // The checksum field itself may be spelled in more ways than one; nothing else may.
      if (!("wrong" in read)) expect([read, at >= 148 && at < 156]).toEqual([{ ...fields, type: "0" }, true]);
    }
  });
});

describe("tarPadding", () => {
  it.each([
    [0, 0],
    [1, 511],
    [512, 0],
    [513, 511],
  ])("of %i is %i", (size, padding) => {
    expect(tarPadding(size)).toBe(padding);
  });
});

describe("decodeFields", () => {
  it("reads what encodeHeader writes over a block that held something else", () => {
    const used = encodeHeader({ name: `${"p".repeat(90)}/${"n".repeat(90)}`, size: 8 ** 11, mode: 0o755, mtime: 1 });
    const fields = { name: "bin/helm", size: 7, mode: 0o644, mtime: 2 };
    expect(encodeHeader(fields, used).equals(encodeHeader(fields))).toBe(true);
    expect(decodeFields(used)).toEqual({ ...fields, type: "0" });
  });
});
