import { describe, expect, it } from "vitest";
import { parseBounded } from "../../../src/std/bounded-json.ts";

describe("JSON that nobody vouches for", () => {
  it.each<[string, string | Buffer, object, RegExp]>([
    ["too many values of a list", `[${"0,".repeat(10)}0]`, { values: 10 }, /^> 10 values$/],
    ["too many keys", `{${'"a":0,'.repeat(10)}"a":0}`, { values: 10 }, /^> 10 values$/],
    ["too many empty lists", `[${"[],".repeat(10)}[]]`, { values: 10 }, /^> 10 values$/],
    ["too deep", "[".repeat(5) + "]".repeat(5), { depth: 4 }, /^nested > 4$/],
    ["too long", '"four"', { size: 5 }, /^> 5 B$/],
    ["longer in bytes than in letters", '"四"', { size: 4 }, /^> 4 B$/],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), {}, /^JSON$/],
    ["cut off", '{"a":"b\\', {}, /^JSON$/],
  ])("is refused when it is %s", (_what, text, bounds, why) => {
    expect(() => parseBounded(text, bounds)).toThrow(why);
    if (typeof text === "string") expect(() => parseBounded(Buffer.from(text), bounds)).toThrow(why);
  });

  it("is counted outside of its strings only, and bounded without being asked", () => {
    const text = JSON.stringify({ text: '[[[[{{,,::\\"]', list: [1, [2]] });
    expect(parseBounded(text, { values: 8, depth: 3, size: text.length })).toEqual(JSON.parse(text));
    expect(() => parseBounded(`[${"0,".repeat(2_000_000)}0]`)).toThrow(/^> 2000000 values$/);
    expect(() => parseBounded("[".repeat(65) + "]".repeat(65))).toThrow(/^nested > 64$/);
  });
});
