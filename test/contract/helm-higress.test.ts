import { readFile } from "node:fs/promises";
import { everythingOn } from "../rig/charts/everything-on.ts";
import { describe, expect, it } from "vitest";
import { readChart } from "../../src/edge/charts/read.ts";
import { loadRelocationMap } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import type { RelocationMap, RelocationTarget } from "../../src/model/relocation.ts";
import { discoverReferences, findGaps } from "../../src/stages/discover/discover.ts";
import { renderedObjects } from "../../src/model/rendered-object.ts";
import { prove, workloadsWithoutPullSecret } from "../../src/stages/prove/prove.ts";
import { relocationValues } from "../../src/stages/relocate/relocate.ts";
import { helmLines, tools } from "../rig/tools.ts";

// The chart is Higress's, not ours, and is not in this repository: a packed release of it, or nothing.
const chart = process.env["HIGRESS_CHART"];
const reason = chart === undefined ? " (skipped: HIGRESS_CHART names no packed Higress chart)" : "";

const prefix = "harbor.corp:8443/mirror";
const target: RelocationTarget = {
  registry: "harbor.corp:8443",
  project: "mirror",
  prefix,
  namespace: "gateways",
  pullSecret: "pull",
  plugins: new Map([["mcp-server", `oci://${prefix}/plugins/mcp-server:2.0.1`]]),
};

describe.skipIf(chart === undefined).each(helmLines)(`the real chart, by Helm %s${reason}`, (line) => {
  const render = async (change: (map: RelocationMap) => RelocationMap | undefined): Promise<string> => {
    const path = chart ?? "";
    const { version } = await readChart(await readFile(path));
    const map = change(await loadRelocationMap(`manifests/higress/${version}/relocation.yaml`));
    const moved = map === undefined ? {} : relocationValues(map, target, { pluginMode: "oci" });
    await using helm = await openHelm((await tools(line)).helm, { env: process.env });
    const source = { chart: path, release: "higress", namespace: target.namespace, kubeVersion: "1.30.0" };
    return await helm.template({ ...source, values: [everythingOn, moved] }, { includeCrds: true });
  };

  it("names fifteen images, one of them only in an argument", async () => {
    const found = discoverReferences(await render(() => undefined));
    expect(new Set(found.map(({ reference }) => reference)).size).toBe(15);
    expect(found.filter(({ path }) => path.includes("/args/")).map(({ reference }) => reference)).toEqual([
      expect.stringContaining("/cert-manager-acmesolver:"),
    ]);
  });

  it("points nowhere outside once it is relocated, with everything on", async () => {
    const manifest = await render((map) => map);
    const proof = prove(renderedObjects(manifest), { inside: { prefixes: [prefix] } });
    expect(proof.findings).toEqual([]);
    expect(proof.images).toBe(14);
    expect(proof.strings).toBeGreaterThan(1500);
    expect(manifest).toContain("rootNamespace: gateways");
    expect(manifest).not.toContain("rootNamespace: null");
    expect(manifest).not.toContain("higress-plugin-server.higress-system");
    expect(workloadsWithoutPullSecret(manifest)).toHaveLength(7);
  });

  it("shows six references that are left when the console's part of the map is dropped", async () => {
    const gaps = findGaps(
      await render((map) => ({
        ...map,
        images: map.images.filter(({ path }) => !path.startsWith("higress-console.")),
      })),
      { prefixes: [prefix] },
    );
    expect(gaps.map(({ facts }) => (facts as { value: string }).value.split("/").at(-1)?.split(":")[0]).sort()).toEqual(
      [
        "cert-manager-acmesolver",
        "cert-manager-cainjector",
        "cert-manager-controller",
        "cert-manager-ctl",
        "cert-manager-webhook",
        "console",
      ],
    );
  });
});
