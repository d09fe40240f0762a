import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RelocationMap, type RelocationTarget } from "../../../../src/model/relocation.ts";
import { mergeValues, splitPath, type Values } from "../../../../src/model/values.ts";
import { relocationValues } from "../../../../src/stages/relocate/relocate.ts";

const target: RelocationTarget = {
  registry: "harbor:8443",
  project: "p",
  prefix: "harbor:8443/p",
  namespace: "ns",
  pullSecret: "pull",
  pluginServer: "http://files",
  plugins: new Map([["a-b", "oci://harbor:8443/p/plugins/a-b:1"]]),
};
const map = (members: object): RelocationMap =>
  RelocationMap.parse({
    apiVersion: "higress-airgap/v1",
    kind: "RelocationMap",
    chart: "c",
    version: "1",
    gateway: "g",
    images: [],
    ...members,
  });
const set = (path: string, value: unknown): object => ({ path, value });
const values = (
  members: object,
  changed: Partial<RelocationTarget> = {},
  pluginMode: "oci" | "http" | "none" = "oci",
): Values => relocationValues(map(members), { ...target, ...changed }, { pluginMode });

describe("relocationValues", () => {
  it("fills in every placeholder, in strings at any depth", () => {
    const value = {
      list: [{ name: "{pullSecret}" }, "{registry}|{project}|{namespace}|{pluginServer}"],
      deep: { url: "{plugin:a-b}" },
    };
    expect(values({ images: [set("global.hub", "{prefix}"), set("global.x", value)] })).toEqual({
      global: {
        hub: "harbor:8443/p",
        x: {
          list: [{ name: "pull" }, "harbor:8443|p|ns|http://files"],
          deep: { url: "oci://harbor:8443/p/plugins/a-b:1" },
        },
      },
    });
  });

  it("leaves the console's variables, numbers, booleans and null as they are", () => {
    expect(
      values({
        offline: [set("a", "oci://{prefix}/${name}:${version}"), set("b", 0), set("c", false), set("d", null)],
      }),
    ).toEqual({
      a: "oci://harbor:8443/p/${name}:${version}",
      b: 0,
      c: false,
      d: null,
    });
  });

  it("reads a dot inside a key from \\., and keeps a $ in a replacement", () => {
    expect(splitPath(String.raw`a\.b.c\\d.e`)).toEqual(["a.b", String.raw`c\d`, "e"]);
    expect(values({ images: [set(String.raw`labels.a\.b`, "{project}")] }, { project: "$&p" })).toEqual({
      labels: { "a.b": "$&p" },
    });
  });

  it("sets pull secrets only where there is one", () => {
    const members = { pullSecrets: [set("s", [{ name: "{pullSecret}" }])] };
    expect(values(members)).toEqual({ s: [{ name: "pull" }] });
    expect(values(members, { pullSecret: undefined })).toEqual({});
  });

  it("sets what the plugin mode asks for, and nothing for a plugin that was not carried", () => {
    const members = {
      plugins: { oci: [set("o", "{plugin:a-b}"), set("missing", "{plugin:zz}")], http: [set("h", "{pluginServer}/x")] },
    };
    expect(values(members)).toEqual({ o: "oci://harbor:8443/p/plugins/a-b:1" });
    expect(values(members, {}, "http")).toEqual({ h: "http://files/x" });
    expect(values(members, { pluginServer: undefined }, "http")).toEqual({});
    expect(values(members, {}, "none")).toEqual({});
  });

  it("gives the same values again when they are laid over themselves", () => {
    const settings = fc.array(
      fc.record({ path: fc.constantFrom("a", "a.b", "a.c", "d.e.f"), value: fc.constantFrom("{prefix}", "x", 1) }),
    );
    fc.assert(
      fc.property(settings, (images) => {
        const once = values({ images });
        expect(mergeValues(once, once)).toEqual(once);
      }),
      { seed: 2 },
    );
  });
});

describe("mergeValues", () => {
  it("merges as helm does: maps by key, lists and scalars whole, null stays null", () => {
    expect(mergeValues({ a: { b: 1, c: [1, 2] }, d: 1 }, { a: { c: [3], e: null } }, { d: { f: 1 } })).toEqual({
      a: { b: 1, c: [3], e: null },
      d: { f: 1 },
    });
  });

  it("takes __proto__ for a key like any other", () => {
    const hostile = JSON.parse('{"__proto__": {"polluted": true}}') as Values;
    mergeValues({ a: {} }, hostile, { a: hostile });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it("keeps every path that only one layer has, and lets the later layer win", () => {
    const layer = fc.dictionary(
      fc.constantFrom("a", "b", "c"),
      fc.oneof(fc.nat(), fc.dictionary(fc.constantFrom("x", "y"), fc.nat())),
    );
    fc.assert(
      fc.property(layer, layer, layer, (a, b, c) => {
        expect(mergeValues(mergeValues(a, b), c)).toEqual(mergeValues(a, b, c));
        expect(mergeValues(a, {})).toEqual(a);
        for (const [key, value] of Object.entries(b))
          if (typeof value === "number") expect(mergeValues(a, b)[key]).toBe(value);
      }),
      { seed: 4 },
    );
  });
});
