import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFailure } from "../../../../src/model/failure.ts";
import { parseReference, printReference } from "../../../../src/model/reference.ts";
import { mapItems, prefixOf, type MappingOptions } from "../../../../src/stages/relocate/mapping.ts";
import { anImage } from "../../../rig/graph.ts";
import { aLockItem, type ItemOptions } from "../../../rig/lock-item.ts";

const one = anImage();
const other = anImage({ architecture: "arm64" });
const options = (templates: MappingOptions["templates"] = {}): MappingOptions => ({
  registry: "harbor.corp:8443",
  project: "higress",
  templates,
});

const targets = (reference: string, templates?: MappingOptions["templates"], item: ItemOptions = {}): string[] =>
  mapItems([aLockItem(reference, one, item)], options(templates)).mapped.flatMap((mapped) =>
    mapped.targets.map(printReference),
  );

const codeOf = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return isFailure(error) ? { code: error.code, facts: error.facts } : error;
  }
};

describe("mapItems", () => {
  it.each([
    ["keeps the path below the project", {}, "harbor.corp:8443/higress/higress/gateway:2.2.4"],
    [
      "takes the first segment as the project",
      { image: "{registry}/{path}" },
      "harbor.corp:8443/higress/gateway:2.2.4",
    ],
    ["keeps only the name", { image: "{registry}/{project}/{name}" }, "harbor.corp:8443/higress/gateway:2.2.4"],
    [
      "puts a segment between",
      { image: "{registry}/{project}/m/{path}" },
      "harbor.corp:8443/higress/m/higress/gateway:2.2.4",
    ],
    [
      "leaves other kinds' templates alone",
      { chart: "{registry}/c/{name}" },
      "harbor.corp:8443/higress/higress/gateway:2.2.4",
    ],
  ])("%s", (_name, templates, target) => {
    expect(targets("higress-registry.cn-hangzhou.cr.aliyuncs.com/higress/gateway:2.2.4", templates)).toEqual([target]);
  });

  it("takes the template of the item's kind", () => {
    const templates = { plugin: "{registry}/{project}/plugins/{name}", chart: "{registry}/charts/{name}" };
    expect(targets("r.io/p/ai-proxy:2", templates, { kind: "plugin" })).toEqual([
      "harbor.corp:8443/higress/plugins/ai-proxy:2",
    ]);
    expect(targets("r.io/p/higress:2.2.4", templates, { kind: "chart" })).toEqual([
      "harbor.corp:8443/charts/higress:2.2.4",
    ]);
  });

  it("writes Docker Hub's library out", () => {
    expect(targets("redis:7")).toEqual(["harbor.corp:8443/higress/library/redis:7"]);
  });

  it("gives a reference without a tag one, so that the collector of untagged manifests keeps it", () => {
    expect(targets(`r.io/a/b@${one.root.digest}`)).toEqual([
      `harbor.corp:8443/higress/a/b:sha256-${one.root.digest.slice(7, 19)}`,
    ]);
  });

  it("puts aliases after the item's own name, each once", () => {
    const aliases = ["r.io/a/b:2", "r.io/a/b:1", "r.io/c/d:1"];
    expect(targets("r.io/a/b:1", {}, { aliases })).toEqual([
      "harbor.corp:8443/higress/a/b:1",
      "harbor.corp:8443/higress/a/b:2",
      "harbor.corp:8443/higress/c/d:1",
    ]);
  });

  it("refuses two digests under one name and tag, and names both origins", () => {
    const items = [aLockItem("docker.io/library/redis:7", one), aLockItem("quay.io/library/redis:7", other)];
    expect(codeOf(() => mapItems(items, options()))).toEqual({
      code: "NAME_COLLISION",
      facts: {
        target: "harbor.corp:8443/higress/library/redis:7",
        first: "docker.io/library/redis:7",
        second: "quay.io/library/redis:7",
      },
    });
  });

  it.each(["before", "after"])("lets what somebody names win over an alias, listed %s it", (order) => {
    const named = aLockItem("a.io/x/y:1", one);
    const aliased = aLockItem("b.io/x/z:2", other, { kind: "plugin", aliases: ["b.io/x/y:1", "b.io/x/z:1"] });
    const { mapped, yielded } = mapItems(order === "before" ? [named, aliased] : [aliased, named], options());
    const targetsOf = (item: typeof named): unknown =>
      mapped.find((each) => each.item === item)?.targets.map(({ repository, tag }) => `${repository}:${tag ?? ""}`);
    expect(targetsOf(named)).toEqual(["higress/x/y:1"]);
    expect(targetsOf(aliased)).toEqual(["higress/x/z:2", "higress/x/z:1"]);
    expect(yielded).toMatchObject([{ item: aliased, by: named, target: { repository: "higress/x/y", tag: "1" } }]);
  });

  it("keeps both where the console asks for the alias: what is named goes under its digest", () => {
    const named = aLockItem("a.io/x/y:1", one, { kind: "plugin" });
    const aliased = aLockItem("b.io/x/z:2", other, { kind: "plugin", aliases: ["b.io/x/y:1"] });
    const asked = new Map([["harbor.corp:8443/higress/x/y:1", other.root.digest]]);
    const { mapped, yielded } = mapItems([named, aliased], { ...options(), asked });
    const digest = `sha256-${one.root.digest.slice(7, 19)}`;
    expect(mapped.map(({ targets }) => targets.map(({ repository, tag }) => `${repository}:${tag ?? ""}`))).toEqual([
      [`higress/x/y:${digest}`],
      ["higress/x/z:2", "higress/x/y:1"],
    ]);
    expect(yielded).toMatchObject([{ item: named, by: aliased, instead: { tag: digest } }]);
  });

  it("takes the same digest twice under one name", () => {
    const items = [aLockItem("docker.io/library/redis:7", one), aLockItem("quay.io/library/redis:7", one)];
    expect(mapItems(items, options()).mapped).toHaveLength(2);
  });

  it.each([
    ["no project", "r.io/nginx:1", { image: "{registry}/{path}" }],
    ["project", "r.io/a__b/nginx:1", { image: "{registry}/{path}" }],
    ["project", "r.io/a--b/nginx:1", { image: "{registry}/{path}" }],
    ["length", `r.io/${"a".repeat(250)}:1`, {}],
    ["template", "r.io/a/b:1", { image: "elsewhere.io/{path}" }],
    ["template", "r.io/a/b:1", { image: "{registry}/{host}/{path}" }],
    ["template", "r.io/a/b:1", { image: "{registry}/{project}/all" }],
    ["repository", "r.io/a/b:1", { image: "{registry}/{project}/Upper/{path}" }],
  ])("refuses what Harbor would answer 401 to: %s in %s", (why, reference, templates) => {
    expect(codeOf(() => targets(reference, templates))).toMatchObject({ code: "REFERENCE_INVALID", facts: { why } });
  });

  it("never loses or invents a path: two paths are two repositories", () => {
    const segment = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const path = fc.array(segment, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/"));
    fc.assert(
      fc.property(path, path, (a, b) => {
        const [first, second] = [a, b].map((text) => targets(`r.io/${text}:1`)[0]);
        expect(first === second).toBe(a === b);
        expect(parseReference(first ?? "").repository).toBe(`higress/${a}`);
      }),
      { seed: 1 },
    );
  });
});

describe("prefixOf", () => {
  it.each([
    [{}, "harbor.corp:8443/higress"],
    [{ image: "{registry}/{path}" }, "harbor.corp:8443"],
    [{ image: "{registry}/{project}/mirror/{path}" }, "harbor.corp:8443/higress/mirror"],
    [{ image: "{registry}/{project}/{name}" }, "harbor.corp:8443/higress"],
  ])("is what stands before an image's path: %j", (templates, prefix) => {
    expect(prefixOf(options(templates))).toBe(prefix);
  });
});
