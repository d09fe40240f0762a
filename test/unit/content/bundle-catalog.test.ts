import { describe, expect, it } from "vitest";
import { bundleCatalog, hostSegment, repositoryFor } from "../../../src/content/bundle-catalog.ts";
import { anImage, anIndex, aStore, flipped, without } from "../../rig/graph.ts";
import { aLockItem } from "../../rig/lock-item.ts";

const [one, two] = [anImage({ layers: [{ a: "1" }] }), anImage({ layers: [{ a: "2" }] })];

describe("bundleCatalog", () => {
  it("answers neither of two sources where a bare name would mean both, and each by its host", async () => {
    const items = [aLockItem("docker.io/library/redis:7", one), aLockItem("quay.io/library/redis:7", two)];
    const catalog = await bundleCatalog(items, aStore(one, two));
    expect(catalog.manifest("library/redis", "7")).toBeUndefined();
    expect(catalog.tags("library/redis")).toEqual([]);
    expect(catalog.manifest("docker.io/library/redis", "7")?.digest).toBe(one.root.digest);
    expect(catalog.manifest("quay.io/library/redis", "7")?.digest).toBe(two.root.digest);
    expect(catalog.manifest("library/redis", two.root.digest)?.digest).toBe(two.root.digest);
  });

  it("stays undecided when a third source agrees with the first", async () => {
    const hosts = ["a.io", "b.io", "c.io"];
    const items = hosts.map((host, at) => aLockItem(`${host}/x/y:1`, at === 1 ? two : one));
    expect((await bundleCatalog(items, aStore(one, two))).manifest("x/y", "1")).toBeUndefined();
  });

  it("answers a bare name that all sources mean alike", async () => {
    const items = [aLockItem("a.io/x/y:1", one), aLockItem("b.io/x/y:1", one)];
    expect((await bundleCatalog(items, aStore(one))).manifest("x/y", "1")?.digest).toBe(one.root.digest);
  });

  it("has no tag for what is known by digest only", async () => {
    const item = aLockItem(`a.io/x/y@${one.root.digest}`, one);
    const catalog = await bundleCatalog([item], aStore(one));
    expect([catalog.tags("x/y"), catalog.manifest("x/y", one.root.digest)?.size]).toEqual([[], one.root.size]);
  });

  it("knows a repository of nobody by nothing that objects have", async () => {
    const catalog = await bundleCatalog([aLockItem("a.io/x/y:1", one)], aStore(one));
    for (const name of ["__proto__", "constructor", "toString", ""]) {
      expect([catalog.tags(name), catalog.manifest(name, "1")]).toEqual([undefined, undefined]);
      expect(catalog.manifest("x/y", name)).toBeUndefined();
    }
  });

  it("opens on verified manifests only", async () => {
    const index = anIndex([one]);
    const item = aLockItem("a.io/x/y:1", index);
    await expect(bundleCatalog([item], aStore(flipped(index, one.root.digest)))).rejects.toMatchObject({
      code: "CONTENT_MISMATCH",
      side: "bundle",
    });
    await expect(bundleCatalog([item], aStore(without(index, one.root.digest)))).rejects.toMatchObject({
      code: "CONTENT_MISSING",
    });
  });
});

describe("hostSegment", () => {
  it.each([
    ["quay.io", "quay.io"],
    ["Harbor.Corp:8443", "harbor.corp_8443"],
    ["[::1]:5000", "0_1_5000"],
    ["[fe80::1]", "fe80_1"],
  ])("writes %s as %s, which is legal in a repository name", (host, segment) => {
    expect(hostSegment(host)).toBe(segment);
    expect(segment).toMatch(/^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/);
  });
});

describe("repositoryFor", () => {
  it("lets the host of a mirror request decide when the bundle knows it, Docker Hub under both its names", async () => {
    const catalog = await bundleCatalog([aLockItem("docker.io/library/redis:7", one)], aStore(one));
    expect(repositoryFor(catalog, "library/redis", "registry-1.docker.io")).toBe("docker.io/library/redis");
    expect(repositoryFor(catalog, "library/redis", "docker.io")).toBe("docker.io/library/redis");
    expect(repositoryFor(catalog, "library/redis", "my.mirror:5000")).toBe("library/redis");
    expect(repositoryFor(catalog, "library/redis", undefined)).toBe("library/redis");
  });

  it("takes the project of a site file before a name as if it were not there, and only before one that is known", async () => {
    const items = [aLockItem("quay.io/higress/gateway:1", one), aLockItem("quay.io/gateway:1", two)];
    const catalog = await bundleCatalog(items, aStore(one, two));
    expect(repositoryFor(catalog, "higress/gateway", undefined)).toBe("higress/gateway");
    expect(repositoryFor(catalog, "higress/higress/gateway", undefined)).toBe("higress/gateway");
    expect(repositoryFor(catalog, "platform/mesh/higress/gateway", "harbor.corp:5000")).toBe("higress/gateway");
    expect(repositoryFor(catalog, "higress/pilot", undefined)).toBe("higress/pilot");
    expect(repositoryFor(catalog, "x/higress/gateway", "quay.io")).toBe("quay.io/x/higress/gateway");
  });
});
