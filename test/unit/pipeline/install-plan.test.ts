import { describe, expect, it } from "vitest";
import { RelocationMap } from "../../../src/model/relocation.ts";
import { Site } from "../../../src/model/site.ts";
import { planInstall } from "../../../src/pipeline/install-plan.ts";
import { openBundle } from "../../../src/stages/bundle/open.ts";
import { pack } from "../../../src/stages/bundle/pack.ts";
import { aPackInput, someFiles } from "../../rig/bundle-input.ts";
import { MemoryOutput, MemorySource } from "../../rig/bundle-memory.ts";

const site = Site.parse({
  apiVersion: "higress-airgap/v1",
  kind: "Site",
  registry: { host: "harbor.corp", project: "higress" },
});
const ports = { parseRelocation: () => Promise.reject(new Error("no chart")) as never, userValues: [] };

async function bundleWith(release: string) {
  const output = new MemoryOutput();
  const file = { name: "manifests/release.json", bytes: Buffer.from(release) };
  await pack(aPackInput({ files: [...someFiles, file] }), output);
  return openBundle(new MemorySource(output.bytes));
}

describe("planInstall", () => {
  it("maps every item below the site's project", async () => {
    const bundle = await bundleWith('{"charts":[],"crds":[],"manifests":[]}');
    const { prefix, mapped } = await planInstall(bundle, site, ports);
    expect(prefix).toBe("harbor.corp/higress");
    expect(mapped.map(({ targets }) => targets[0]?.repository)).toEqual([
      "higress/higress/gateway",
      "higress/higress/console",
      "higress/plugins/key-auth",
    ]);
  });

  it("lays the relocation over everything that anybody wrote", async () => {
    const outside = (by: string) => ({ global: { hub: `outside.example/${by}` } });
    const chart = {
      ...{ name: "higress", version: "2.2.4", file: "charts/higress-2.2.4.tgz", relocation: "manifests/bundle.yaml" },
      ...{ release: "higress", namespace: "higress-system", valuesFiles: ["of: the chart's files"] },
      values: outside("spec"),
    };
    const bundle = await bundleWith(JSON.stringify({ charts: [chart], crds: [], manifests: [] }));
    const head = {
      apiVersion: "higress-airgap/v1",
      kind: "RelocationMap",
      chart: "higress",
      version: "2.2.4",
    } as const;
    const images = [{ path: "global.hub", value: "{prefix}" }];
    const userValues = [
      { from: "own.yaml", layer: "of: a file" },
      { from: "site.yaml: values", layer: outside("site") },
      { from: "site.yaml: releases.higress.values", layer: { of: "this release" }, release: "higress" },
      { from: "site.yaml: releases.nacos.values", layer: { of: "another" }, release: "nacos" },
    ];
    const { charts, unknownReleases } = await planInstall(bundle, site, {
      parseRelocation: () => RelocationMap.parse({ ...head, gateway: "2.2", images }),
      userValues,
    });
    expect(unknownReleases).toEqual(["nacos"]);
    // As helm is given them: each over the one before.
    expect(charts.map(({ values }) => values)).toEqual([
      [
        "of: the chart's files",
        outside("spec"),
        "of: a file",
        outside("site"),
        { of: "this release" },
        { global: { hub: "harbor.corp/higress" } },
      ],
    ]);
  });

  it.each([
    ["no JSON", "{"],
    ["of another shape", '{"charts":{}}'],
    ["null", "null"],
  ])("refuses a bundle whose release.json is %s", async (_what, text) => {
    await expect(planInstall(await bundleWith(text), site, ports)).rejects.toMatchObject({
      code: "BUNDLE_MALFORMED",
      facts: { path: "memory.tar", where: expect.stringMatching(/^manifests\/release\.json /) as string },
    });
  });
});
