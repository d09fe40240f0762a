import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { learnChart, mapText, type ChartToLearn } from "../../src/cli/wire/learn.ts";
import { parseRelocationMap } from "../../src/edge/files/config.ts";
import { openHelm } from "../../src/edge/process/helm.ts";
import { listChart, madeChart, oddChart } from "../rig/charts/made.ts";
import { temporaryFile } from "../../src/edge/files/temporary.ts";
import { renderedObjects } from "../../src/model/rendered-object.ts";
import { prove } from "../../src/stages/prove/prove.ts";
import { patchManifest, relocationPatches, relocationValues } from "../../src/stages/relocate/relocate.ts";
import { runCommand } from "../rig/command.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
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
        path: "/spec/template/spec/containers/*/env/*/value",
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

  it("keeps what somebody else has in its lists, and points nowhere outside", async () => {
    const listed = { ...odd, archive: madeChart("listed", listChart), name: "listed" };
    const { map, references } = await learn(listed);
    expect(references).toEqual({ found: 5, moved: 1, patched: 4 });
    expect(map.images).toEqual([{ path: "image", value: "{prefix}/acme/app:1", moves: ["quay.io/acme/app:1"] }]);
    expect(map.patches.map(({ path, from }) => `${path} ${from}`).sort()).toEqual([
      "/data/agents.json!/0 docker.io/acme/agent:4",
      "/spec/template/spec/containers/*/args/* quay.io/acme/side:3",
      "/spec/template/spec/containers/*/image ghcr.io/acme/probe:2",
      "/spec/template/spec/containers/*/image redis:7",
    ]);
    expect(map.pullSecrets).toMatchObject([
      { path: "imagePullSecrets", value: [{ name: "vendor" }, { name: "{pullSecret}" }] },
    ]);

    // Inside, somebody has one container more, and an argument before the others.
    const own = {
      extraContainers: [
        { name: "own", image: "harbor.corp/p/own:1" },
        { name: "probe", image: "ghcr.io/acme/probe:2" },
      ],
      args: ["--own=1", "--sidecar=quay.io/acme/side:3", "--peer=peer.bank.example:8443"],
    };
    const target = {
      ...{ registry: "harbor.corp", project: "p", prefix: "harbor.corp/p", namespace: "n", pullSecret: "pull" },
      plugins: new Map<string, string>(),
    };
    await using file = await temporaryFile("listed-1.0.0.tgz", listed.archive);
    await using helm = await openHelm((await tools(line)).helm, { env: process.env });
    const moved = relocationValues(map, target, { pluginMode: "none" });
    const source = { chart: file.path, release: "r", namespace: "n", kubeVersion: "1.30.0", values: [own, moved] };
    const manifest = patchManifest(
      await helm.template(source, { includeCrds: false }),
      relocationPatches(map, target, "r"),
    );
    const inside = { prefixes: [target.prefix], hosts: ["*.bank.example"] };
    expect(prove(renderedObjects(manifest), { inside }).findings).toEqual([]);
    for (const kept of [
      "harbor.corp/p/own:1",
      "--own=1",
      "--peer=peer.bank.example:8443",
      "name: vendor",
      "name: pull",
    ])
      expect(manifest).toContain(kept);
    expect(manifest).toContain('["harbor.corp/p/acme/agent:4"]');
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

  it("is learned by the command into a file, with a count of what moves", async () => {
    await using folder = await aTempDirectory();
    await writeFile(join(folder.path, "odd.tgz"), madeChart("odd", oddChart));
    const { helm } = await tools(line);
    const asked = ["relocation", "learn", "odd.tgz", "--namespace", "n", "--helm", helm, "--out", "map.yaml"];
    const { stderr } = await runCommand(asked, { cwd: folder.path });
    expect(stderr).toMatch(/6 references found: values move 4, patches 2; helm rendered \d+ times/);
    const written = await readFile(join(folder.path, "map.yaml"), "utf8");
    expect(parseRelocationMap(written, "map.yaml")).toEqual((await learn()).map);
  });

  it("is refused with helm's words and its name when it does not render on this host", async () => {
    await expect(learn({ values: { mode: "other" } })).rejects.toMatchObject({
      code: "CHART_UNUSABLE",
      side: "source",
      facts: { chart: "odd 1.0.0", why: expect.stringContaining("mode") as string },
    });
  });

  const wanting = (template: string, more: Readonly<Record<string, string>> = {}): Partial<ChartToLearn> => ({
    name: "wanting",
    archive: madeChart("wanting", { "templates/a.yaml": `a: ${template}\n`, ...more }),
  });
  const helper = (action: string): Readonly<Record<string, string>> => ({
    "templates/_helpers.tpl": `{{ define "tag" }}{{ ${action} }}{{ end }}`,
  });
  const store = (template: string): Readonly<Record<string, string>> => ({
    "Chart.yaml":
      "apiVersion: v2\nname: wanting\nversion: 1.0.0\ndependencies: [{ name: redis, version: 1.0.0, alias: store }]\n",
    "charts/redis/Chart.yaml": "apiVersion: v2\nname: redis\nversion: 1.0.0\n",
    "charts/redis/templates/a.yaml": `a: ${template}\n`,
  });
  it.each([
    ["by words before it", wanting('{{ required "a \\"tag\\", please" .Values.image }}'), "image", 'a "tag", please'],
    [
      "by words behind it",
      wanting('{{ .Values.licence.key | required "a key" | quote }}', { "values.yaml": "licence: {}\n" }),
      "licence.key",
      "a key",
    ],
    [
      "by a helper",
      wanting('{{ include "tag" . }}', { ...helper("required `a tag` .Values.image"), "values.yaml": "image: null\n" }),
      "image",
      "a tag",
    ],
    [
      "by a subchart under an alias",
      wanting("1", store('{{ required "a tag" .Values.image }}')),
      "store.image",
      "a tag",
    ],
    [
      "of everybody, by a subchart",
      wanting("1", store('{{ required "a hub" .Values.global.hub }}')),
      "global.hub",
      "a hub",
    ],
    [
      "by what looks into it",
      wanting("{{ .Values.image.tag }}"),
      "image.tag",
      "nil pointer evaluating interface {}.tag",
    ],
    [
      "by a helper that looks into it",
      wanting('{{ include "tag" . }}', helper("$.Values.image.tag")),
      "image.tag",
      "nil pointer evaluating interface {}.tag",
    ],
  ])("is refused with the name of the value that is wanted %s", async (_, chart, path, says) => {
    await expect(learn(chart)).rejects.toMatchObject({
      code: "CHART_VALUE_WANTED",
      facts: { chart: "wanting 1.0.0", path, says },
    });
    // As the hint has it.
    const keys = path
      .split(".")
      .reverse()
      .reduce<unknown>((inner, key) => ({ [key]: inner }), "x") as Record<string, unknown>;
    const { map } = await learn({ ...chart, values: keys });
    expect(map.chart).toBe("wanting");
  });

  it("is refused with the charts that it was packed without", async () => {
    const archive = madeChart("wanting", {
      "Chart.yaml":
        "apiVersion: v2\nname: wanting\nversion: 1.0.0\ndependencies: [{ name: common, version: 2.x.x }, { name: redis, version: 1.0.0 }]\n",
      "templates/a.yaml": "a: 1\n",
    });
    await expect(learn({ name: "wanting", archive })).rejects.toMatchObject({
      code: "CHART_INCOMPLETE",
      facts: { chart: "wanting 1.0.0", missing: "common, redis" },
    });
  });
});
