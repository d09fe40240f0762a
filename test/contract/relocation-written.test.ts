import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { learnChart } from "../../src/cli/wire/learn.ts";
import { loadRelocationMap } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import type { Setting } from "../../src/model/relocation.ts";
import { tools } from "../rig/tools.ts";

// The charts are Higress's, not ours, and are not in this repository: packed releases beside the one that is named.
const folder = dirname(process.env["HIGRESS_CHART"] ?? "/nowhere/x");
const versions = ["2.1.9", "2.2.0", "2.2.4"];
const there = versions.filter((version) => existsSync(join(folder, `higress-${version}.tgz`)));
const reason = there.length === 0 ? " (skipped: HIGRESS_CHART names no packed Higress chart)" : "";

/** What somebody wrote and the learner leaves out, each looked at. */
const reviewed: Readonly<Record<string, readonly string[]>> = {
  // No template reads it in a way that shows: every component of 2.1.9 has a hub of its own.
  "2.1.9": ["higress-core.hub"],
};

const lines = (settings: readonly Setting[], without: readonly string[] = []): readonly string[] =>
  settings
    .filter(({ path }) => !without.includes(path))
    .map(({ path, value }) => `${path} = ${JSON.stringify(value)}`)
    .sort();

describe.skipIf(there.length === 0)(`the maps that somebody wrote${reason}`, () => {
  it.each(there)("are what is learned of %s", { timeout: 120_000 }, async (version) => {
    await using helm = await openHelm((await tools("4.2")).helm, { env: process.env });
    const written = await loadRelocationMap(`manifests/higress/${version}/relocation.yaml`);
    const archive = await readFile(join(folder, `higress-${version}.tgz`));
    const chart = {
      archive,
      name: "higress",
      version,
      namespace: "n",
      kubeVersion: "1.30.0",
      valuesFiles: [],
      values: {},
    };
    const { map, findings } = await learnChart(chart, helm, undefined);
    expect(lines(map.images)).toEqual(lines(written.images, reviewed[version]));
    expect(lines(map.pullSecrets)).toEqual(lines(written.pullSecrets));
    expect(lines(map.offline)).toEqual(lines(written.offline));
    expect(lines(map.plugins.oci)).toEqual(lines(written.plugins.oci));
    expect(lines(map.plugins.http)).toEqual(lines(written.plugins.http));
    expect([map.trust, map.console, map.patches]).toEqual([written.trust, written.console, []]);
    expect(findings.filter(({ code }) => code.startsWith("relocation."))).toEqual([]);
  });
});
