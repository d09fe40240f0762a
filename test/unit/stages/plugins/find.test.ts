import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { findInConsole } from "../../../../src/stages/plugins/find.ts";
import { anImage, anIndex, aStore, flipped, type Seed } from "../../../rig/graph.ts";
import { aConsoleImage, aConsoleJar, anSdkJar, aSpec } from "../../../rig/wasm/console.ts";
import { aZip } from "../../../rig/wasm/jar.ts";

const host = "oci://registry.example/plugins";
const two = anSdkJar({
  "key-auth": {
    url: `${host}/key-auth:2.0.0`,
    spec: aSpec({ name: "key-auth", version: "1.0.0", category: "auth", priority: 310, phase: "AUTHN" }),
  },
  "ai-proxy": { url: `${host}/ai-proxy:2.0.1`, spec: aSpec({ gatewayMinVersion: "2.1.3" }) },
  "no-spec": { url: `${host}/no-spec:1.0.0` },
  "no-url": { url: "", spec: aSpec({ name: "no-url" }) },
});
const find = (seed: Seed) => findInConsole(seed.root, aStore(seed));
const names = async (seed: Seed) => (await find(seed)).console.map(({ key }) => key);

describe("findInConsole", () => {
  it("reads the console's own list out of the jar in the jar in the layer", async () => {
    const { console, plugins } = await find(aConsoleImage(aConsoleJar(two)));
    expect(console).toEqual([
      {
        key: "ai-proxy",
        name: "ai-proxy",
        reference: `${host}/ai-proxy:2.0.1`,
        tag: "2.0.1",
        infoVersion: "2.0.1",
        category: "ai",
        gatewayMinVersion: "2.1.3",
        phase: "UNSPECIFIED_PHASE",
        priority: 100,
      },
      {
        key: "key-auth",
        name: "key-auth",
        reference: `${host}/key-auth:2.0.0`,
        tag: "2.0.0",
        infoVersion: "1.0.0",
        category: "auth",
        phase: "AUTHN",
        priority: 310,
      },
    ]);
    expect(plugins[1]).toEqual({
      name: "key-auth",
      ref: "registry.example/plugins/key-auth:2.0.0",
      version: "1.0.0",
      category: "auth",
      phase: "AUTHN",
      priority: 310,
    });
  });

  it("skips what has no spec.yaml or no URL, as the console does", async () => {
    expect(await names(aConsoleImage(aConsoleJar(two)))).toEqual(["ai-proxy", "key-auth"]);
  });

  it("takes any image of an index, and no attestation for one", async () => {
    const attestation = anImage({ os: "unknown", architecture: "unknown" });
    const arm = aConsoleImage(aConsoleJar(two));
    expect(
      await names(
        anIndex([attestation, { ...arm, root: { ...arm.root, platform: { os: "linux", architecture: "arm64" } } }]),
      ),
    ).toHaveLength(2);
  });

  it("reads versions as the text that they are", async () => {
    const spec = aSpec({ version: "1.10" });
    const jar = aConsoleJar(anSdkJar({ a: { url: `${host}/a:1.10`, spec } }));
    expect((await find(aConsoleImage(jar))).console[0]?.infoVersion).toBe("1.10");
  });

  it("takes the last of two equal keys in a spec.yaml, as the console does: basic-auth has been shipped with two", async () => {
    const spec = `${aSpec({ name: "basic-auth" })}      required: [a]\n      required: [b]\n`;
    expect(await names(aConsoleImage(aConsoleJar(anSdkJar({ a: { url: `${host}/a:1`, spec } }))))).toEqual(["a"]);
  });

  it("takes the jar of the topmost layer that has one", async () => {
    const older = aConsoleJar(anSdkJar({ old: { url: `${host}/old:1`, spec: aSpec({ name: "old" }) } }));
    expect(await names(aConsoleImage(older, [{ "app/higress-console.jar": aConsoleJar(two) }]))).toEqual([
      "ai-proxy",
      "key-auth",
    ]);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["the jar", { "app/.wh.higress-console.jar": "" }],
    ["its folder", { ".wh.app": "" }],
    ["all in its folder", { "app/.wh..wh..opq": "" }],
    ["everything below", { ".wh..wh..opq": "" }],
    ["the folder by a file of its name", { app: "" }],
  ])("does not find a jar when a later layer took away %s", async (_name, layer) => {
    await expect(names(aConsoleImage(aConsoleJar(two), [layer]))).rejects.toMatchObject({ code: "PLUGIN_UNUSABLE" });
  });

  it.each<[string, Uint8Array, string]>([
    ["no archive", Buffer.from("not a jar"), "app/higress-console.jar: zip: no end of central directory"],
    ["another program's", aZip({ "a.class": "a" }), "no app/*.jar with a higress-admin-sdk in it"],
    [
      "around an SDK that is no archive",
      aConsoleJar(Buffer.from("nonsense")),
      "BOOT-INF/lib/higress-admin-sdk-2.2.4.jar: zip: no end of central directory",
    ],
    [
      "around an SDK without the list",
      aConsoleJar(aZip({ "a.class": "a" })),
      "BOOT-INF/lib/higress-admin-sdk-2.2.4.jar: no plugins/plugins.properties",
    ],
  ])("says why, when the jar is %s", async (_name, jar, why) => {
    await expect(find(aConsoleImage(jar))).rejects.toMatchObject({ code: "PLUGIN_UNUSABLE", facts: { why } });
  });

  it.each<[string, string, string]>([
    ["is no YAML", "info: [", "spec.yaml"],
    ["has no version", "info:\n  name: a\n", "info.version"],
    ["is a list", "- a\n", "spec.yaml"],
  ])("names the plugin whose spec.yaml %s: the console would not start either", async (_name, spec, why) => {
    const jar = aConsoleJar(anSdkJar({ broken: { url: `${host}/broken:1`, spec } }));
    await expect(find(aConsoleImage(jar))).rejects.toMatchObject({
      code: "PLUGIN_UNUSABLE",
      facts: { plugin: "broken", why: expect.stringContaining(why) as string },
    });
  });

  it("refuses a jar whose entries are bombs", async () => {
    const bomb = aConsoleJar(aZip({ "plugins/plugins.properties": Buffer.alloc(3 * 1024 ** 2) }));
    await expect(find(aConsoleImage(bomb))).rejects.toMatchObject({
      facts: { why: expect.stringContaining("200 times") as string },
    });
  });

  it("believes nothing of a layer that is not what its digest says", async () => {
    const seed = aConsoleImage(gzipSync(aConsoleJar(two)));
    const layer = [...seed.blobs].sort(([, a], [, b]) => b.byteLength - a.byteLength)[0]![0];
    const damaged = flipped(seed, layer, 4);
    await expect(findInConsole(damaged.root, aStore(damaged))).rejects.toMatchObject({ code: "CONTENT_MISMATCH" });
  });
});
