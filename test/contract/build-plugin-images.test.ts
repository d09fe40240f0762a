import { describe, expect, it } from "vitest";
import { MediaType } from "../../src/model/media-type.ts";
import { describeFailure } from "../../src/ui/failure.ts";
import { aBlob } from "../rig/builders/graph.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aPlannedBuild } from "../rig/planned-build.ts";
import { aProxyPlugin } from "../rig/wasm/module.ts";

describe("a plugin under `images:`", () => {
  const reference = "registry.example/plugins/waf:1.0.0";
  const listed = { name: "waf", ref: `oci://${reference}` };
  const wasm = { [reference]: aWasmPlugin({ module: aProxyPlugin({}), layout: "oci" }) };
  const own = JSON.stringify({
    apiVersion: "extensions.higress.io/v1alpha1",
    ...{ kind: "WasmPlugin", metadata: { name: "own" }, spec: { url: `oci://${reference}` } },
  });
  const asImage = { images: [reference], content: wasm };

  it.each([
    ["plugins.list names it, too", { plugins: { list: [listed] } }, { name: "waf", role: "built-in" }],
    ["a manifest names it, too", { manifests: { "own.yaml": own } }, { name: "waf", role: "WasmPlugin/own" }],
  ])("is carried once, as a plugin, where %s", async (_where, named, item) => {
    const { failure, lock } = await aPlannedBuild({ ...asImage, ...named });
    expect(failure).toBeUndefined();
    expect(lock?.items).toMatchObject([{ kind: "plugin", reference, ...item }]);
  });

  it.each([
    ["nothing else names it", {}],
    ["the list's is left out", { plugins: { list: [listed], exclude: ["waf"] } }],
  ])("is refused with the place that it belongs to where %s", async (_where, named) => {
    const { failure } = await aPlannedBuild({ ...asImage, ...named });
    expect(failure).toMatchObject({ code: "IMAGE_UNUSABLE", facts: { image: reference, why: "artifact" } });
    const { hint } = describeFailure(failure, "en");
    expect(hint).toContain("`plugins.list`");
    expect(hint).toContain("--allow-missing");
    expect((await aPlannedBuild({ ...asImage, ...named, allowMissing: true })).failure).toBeUndefined();
  });

  it("is not told of a way that none is: of schema 1, nothing can be carried as it is", async () => {
    const old = { [reference]: aBlob('{ "schemaVersion": 1, "fsLayers": [] }', MediaType.ociManifest) };
    const { failure } = await aPlannedBuild({ images: [reference], content: old, allowMissing: true });
    expect(failure).toMatchObject({ code: "IMAGE_UNUSABLE", facts: { why: "schema 1" } });
    for (const language of ["en", "zh"] as const)
      expect(describeFailure(failure, language).hint).not.toMatch(/--allow-missing|plugins\.list/);
  });
});
