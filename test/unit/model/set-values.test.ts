import { describe, expect, it } from "vitest";
import { setValues } from "../../../src/model/set-values.ts";
import { mergeValues } from "../../../src/model/values.ts";

describe("setValues reads what `helm --set` reads", () => {
  // The right column is what `helm template --set` of 3.17 and 4.2 hands to a chart; test/contract/helm-set.test.ts asks it.
  it.each<[string, unknown]>([
    ["a=b", { a: "b" }],
    ["a.b=c,a.d=true", { a: { b: "c", d: true } }],
    ["a=1,b=007,c=1.5,d=-3,e=0", { a: 1, b: "007", c: "1.5", d: -3, e: 0 }],
    ["a=null", { a: null }],
    ["a=", { a: "" }],
    ["a={x,y,2}", { a: ["x", "y", 2] }],
    ["a={}", { a: [""] }],
    ["a[1].b=c", { a: [null, { b: "c" }] }],
    ["a\\.b=c\\,d", { "a.b": "c,d" }],
    ["a=b=c", { a: "b=c" }],
    ["__proto__.polluted=true", JSON.parse('{"__proto__":{"polluted":true}}')],
  ])("%s", (text, values) => {
    expect(setValues({}, text)).toEqual(values);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each(["a", "", "=b", "a..b=c", "a[x]=1", "a[99999]=1", `${"a.".repeat(40)}b=1`])("%s is refused", (text) => {
    expect(() => setValues({}, text)).toThrow(SyntaxError);
  });

  it("changes one place and keeps what stands beside it", () => {
    const before = { gateway: { replicas: 2, ports: ["a", "b"] } };
    expect(setValues(before, "gateway.ports[1]=c")).toEqual({ gateway: { replicas: 2, ports: ["a", "c"] } });
    expect(before.gateway.ports).toEqual(["a", "b"]);
  });
});

describe("mergeValues", () => {
  it("merges maps and replaces everything else, null too", () => {
    expect(mergeValues({ a: { b: 1, c: 2 }, d: [1], e: 1 }, { a: { c: null }, d: [2], f: {} })).toEqual({
      a: { b: 1, c: null },
      d: [2],
      e: 1,
      f: {},
    });
  });
});
