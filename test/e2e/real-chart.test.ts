import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { everythingOn } from "../rig/charts/everything-on.ts";
import { cli } from "../rig/cli.ts";
import { aRealBundle } from "../rig/real-bundle.ts";
import { writeSampleSite } from "../rig/sample-site.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const chart = process.env["HIGRESS_CHART"];
const because = chart === undefined ? " (skipped: HIGRESS_CHART names no packed Higress chart 2.2.4)" : "";

describe.skipIf(chart === undefined)(`the real Higress chart${because}`, () => {
  it("is built with every image and plugin under its real name, and renders with nothing pointing outside", async () => {
    await using folder = await aTempDirectory();
    const { path } = folder;
    const { helm } = await tools("4.2");
    const made = await aRealBundle({ chart: chart ?? "", version: "2.2.4", folder: path, helm, values: everythingOn });
    const { bundle, built, images, spec } = made;
    expect(built, built.stderr).toMatchObject({ exitCode: 0 });

    const listed = await cli(["inspect", bundle, "--json"], { cwd: path });
    const { items } = JSON.parse(listed.stdout) as { items: { kind: string }[] };
    expect(items.filter(({ kind }) => kind === "image")).toHaveLength(images.size);
    expect(items.filter(({ kind }) => kind === "plugin")).toHaveLength(spec.plugins.list.length);

    const site = await writeSampleSite(path, { host: "harbor.airgap.example", url: "http://127.0.0.1:1" });
    const rendered = await cli(["render", bundle, "--site", site, "--out", join(path, "out"), "--helm", helm], {
      cwd: path,
    });
    expect(rendered, rendered.stderr).toMatchObject({ exitCode: 0 });
    const proof = JSON.parse(await readFile(join(path, "out", "proof.json"), "utf8")) as {
      findings: unknown[];
      images: number;
    };
    expect(proof.findings).toEqual([]);
    expect(proof.images).toBeGreaterThan(10);
  });
});
