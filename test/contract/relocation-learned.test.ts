import { describe, expect, it } from "vitest";
import { learnChart, mapText, type ChartToLearn } from "../../src/cli/wire/learn.ts";
import { parseRelocationMap } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import { madeChart, oddChart } from "../rig/charts/made.ts";
import { helmLines, tools } from "../rig/tools.ts";

const odd = { name: "odd", version: "1.0.0", namespace: "n", kubeVersion: "1.30.0", valuesFiles: [], values: {} };

describe.each(helmLines)("a chart that nobody wrote a map for, by Helm %s", (line) => {
  const learn = async (chart: Partial<ChartToLearn> = {}): ReturnType<typeof learnChart> => {
    await using helm = await openHelm((await tools(line)).helm, { env: process.env });
    return await learnChart({ ...odd, archive: madeChart("odd", oddChart), ...chart }, helm, undefined);
  };

  it("is moved by the fewest and most general values, and by patches where no value reaches", async () => {
    const { map, references } = await learn();
    expect(map.images).toEqual([
      { path: "global.imageRegistry", value: "{prefix}", moves: ["docker.io/acme/app:1.0", "ghcr.io/acme/exporter:3"] },
      { path: "sidecar", value: "{prefix}/acme/side:2.0", moves: ["quay.io/acme/side:2.0"] },
      { path: "store.image", value: "{prefix}/library/redis:7", moves: ["redis:7"] },
    ]);
    expect(map.patches).toEqual([
      {
        kind: "Deployment",
        name: "{release}-app",
        path: "/spec/template/spec/initContainers/*/image",
        from: "busybox:1.36",
        to: "{prefix}/library/busybox:1.36",
      },
      {
        kind: "Deployment",
        name: "{release}-app",
        path: "/spec/template/spec/containers/*/env/0/value",
        from: "images.vendor.example/agent:3.1",
        to: "{prefix}/agent:3.1",
      },
    ]);
    expect(references).toEqual({ found: 6, moved: 4, patched: 2 });
  });

  it("shows what is behind a switch, and how it wants its pull secrets", async () => {
    const { map, findings } = await learn();
    expect(map.features).toEqual([
      { switches: ["exporter.enabled"], references: ["ghcr.io/acme/exporter:3"] },
      { switches: ["store.enabled"], references: ["redis:7"] },
    ]);
    expect(findings.filter(({ code }) => code === "chart.feature")).toHaveLength(2);
    expect(map.pullSecrets).toEqual([
      { path: "pullSecrets", value: ["{pullSecret}"], moves: ["Deployment/airgap-learn-app"] },
      { path: "store.imagePullSecrets", value: [{ name: "{pullSecret}" }], moves: ["StatefulSet/cache"] },
    ]);
  });

  it("is learned as the user has it, and reads back from its file", async () => {
    const { map } = await learn({
      valuesFiles: ["image: { registry: reg.example:5000 }\n"],
      values: { sidecar: "quay.io/acme/side:9" },
    });
    expect(map.images.flatMap(({ moves }) => moves ?? [])).toEqual([
      "ghcr.io/acme/exporter:3",
      "reg.example:5000/acme/app:1.0",
      "quay.io/acme/side:9",
      "redis:7",
    ]);
    expect(parseRelocationMap(mapText(map), "map.yaml")).toEqual(map);
  });

  it("is refused with helm's words and its name when it does not render on this host", async () => {
    await expect(learn({ values: { mode: "other" } })).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
      side: "source",
      facts: { chart: "odd 1.0.0", why: expect.stringContaining("mode") as string },
    });
  });
});
