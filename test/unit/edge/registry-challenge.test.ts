import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseChallenges } from "../../../src/edge/registry/auth/challenge.ts";

const read = (...values: string[]) =>
  parseChallenges(values).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe("parseChallenges", () => {
  it.each<[string, string, unknown]>([
    [
      "Harbor",
      'Bearer realm="https://h/service/token",service="harbor-registry"',
      [["bearer", { realm: "https://h/service/token", service: "harbor-registry" }]],
    ],
    [
      "Nexus, in capitals",
      'BASIC realm="Sonatype Nexus Repository Manager"',
      [["basic", { realm: "Sonatype Nexus Repository Manager" }]],
    ],
    [
      "a scope with commas",
      'Bearer realm="r",scope="repository:a:pull,push repository:b:pull"',
      [["bearer", { realm: "r", scope: "repository:a:pull,push repository:b:pull" }]],
    ],
    [
      "two in one header",
      'Basic realm="a", Bearer realm="b" , service=c',
      [
        ["basic", { realm: "a" }],
        ["bearer", { realm: "b", service: "c" }],
      ],
    ],
    [
      "a lone token",
      'Negotiate YIIB==, Basic realm="x"',
      [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
      ],
    ],
    ["a scheme alone", "Basic", [["basic", {}]]],
    ["quoted quotes", 'Basic realm="a \\"b\\" \\\\c"', [["basic", { realm: 'a "b" \\c' }]]],
    ["a parameter twice: the first", 'Bearer realm="good", realm="bad"', [["bearer", { realm: "good" }]]],
    ["nothing, as Harbor for a project that is not there", "", []],
    ["a string without end: what stands before it", 'Bearer realm="a", service="b', [["bearer", { realm: "a" }]]],
    ["nonsense", "=== ,, \u0000", []],
  ])("reads %s", (_name, value, want) => {
    expect(read(value)).toEqual(want);
  });

  it("reads all headers", () => {
    expect(read('Bearer realm="b"', "Basic realm=a")).toEqual([
      ["bearer", { realm: "b" }],
      ["basic", { realm: "a" }],
    ]);
  });

  it("does not read a megabyte of it", () => {
    expect(read(`Bearer realm="${"x".repeat(1_000_000)}"`)).toEqual([]);
  });

  const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,12}$/);
  const challenge = fc.record({
    scheme: token,
    parameters: fc.uniqueArray(
      fc.tuple(
        token,
        fc.string({ maxLength: 30 }).filter((text) => /^[\x20-\x7e]*$/.test(text)),
      ),
      {
        minLength: 1,
        maxLength: 4,
        selector: ([name]) => name.toLowerCase(),
      },
    ),
  });

  it("reads back whatever was printed", () => {
    const print = (parameters: readonly (readonly [string, string])[]): string =>
      parameters.map(([name, value]) => `${name}="${value.replace(/[\\"]/g, "\\$&")}"`).join(", ");
    fc.assert(
      fc.property(fc.array(challenge, { minLength: 1, maxLength: 3 }), (challenges) => {
        const text = challenges.map(({ scheme, parameters }) => `${scheme} ${print(parameters)}`).join(", ");
        const want = challenges.map(({ scheme, parameters }) => [
          scheme.toLowerCase(),
          Object.fromEntries(parameters.map(([name, value]) => [name.toLowerCase(), value])),
        ]);
        expect(read(text)).toEqual(want);
      }),
      { seed: 20261122, numRuns: 300 },
    );
  });

  it("never throws, and ends, on any text", () => {
    const pieces = fc.constantFrom("Bearer", "realm", "=", '"', "\\", ",", " ", "\t", "a", "==", "é");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (texts) => {
        expect(Array.isArray(parseChallenges([texts.join("")]))).toBe(true);
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });
});
