import { describe, expect, it } from "vitest";
import { parseProperties } from "../../../../src/stages/plugins/console-jar.ts";

const parse = (text: string): Record<string, string> =>
  Object.fromEntries(parseProperties(Buffer.from(text, "latin1")));

/** The cases of java.util.Properties.load's own documentation, and what the console's file uses. */
describe("parseProperties", () => {
  it.each<[string, string, Record<string, string>]>([
    ["equals signs, colons and blanks", "a=1\nb:2\nc 3\nd = 4\ne\t:\t5\n", { a: "1", b: "2", c: "3", d: "4", e: "5" }],
    ["only the first separator", "url=oci://host/a:1.0=x\n", { url: "oci://host/a:1.0=x" }],
    ["comments and empty lines", "# a=1\n  ! b=2\n\n \t\nc=3", { c: "3" }],
    ["continued lines", "fruits  apple, banana, \\\n        pear\n", { fruits: "apple, banana, pear" }],
    ["a comment sign on a continued line", "a=1\\\n# 2\n", { a: "1# 2" }],
    ["an even number of backslashes", "path=c:\\\\\\\\\nb=2", { path: "c:\\\\", b: "2" }],
    ["escaped separators in a key", "a\\:b\\=c\\ d=1", { "a:b=c d": "1" }],
    ["unicode escapes", "name=\\u63d2\\u4ef6", { name: "插件" }],
    ["control escapes, and other escapes as the letter", "a=x\\ty\\nz\\q", { a: "x\ty\nzq" }],
    ["bytes above 127 as Latin-1", "a=\xe9", { a: "é" }],
    ["a key without a value", "cheeses\n", { cheeses: "" }],
    ["an empty key", "=1", { "": "1" }],
    ["the last of two", "a=1\na=2", { a: "2" }],
    ["blanks at the end of a value", "a=1 \n", { a: "1 " }],
    ["carriage returns", "a=1\r\nb=2\rc=3", { a: "1", b: "2", c: "3" }],
    ["a continuation at the end of the file", "a=1\\", { a: "1" }],
  ])("reads %s", (_name, text, wanted) => {
    expect(parse(text)).toEqual(wanted);
  });

  it("refuses a unicode escape that is none, as Java does", () => {
    expect(() => parse("a=\\u12")).toThrow(SyntaxError);
  });
});
