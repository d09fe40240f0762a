import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Site } from "../../src/model/site.ts";
import { madeChart } from "../rig/charts/made.ts";
import { aPlannedBuild } from "../rig/planned-build.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";

const map =
  'apiVersion: higress-airgap/v1\nkind: RelocationMap\nchart: edge\nversion: 1.0.0\nimages: [{ path: hub, value: "{prefix}/higress" }]\n';
const pod =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: "{{ .Values.hub }}/a:1" }] }\n';

describe("values of a site", () => {
  it("are held against the chart by a build that knows the site, its files as helm reads them", async () => {
    const site = Site.parse({
      ...{ apiVersion: "higress-airgap/v1", kind: "Site", registry: { host: "harbor.corp", project: "p" } },
    });
    const files = ["debug: no\n", "more: { on: no, map: text }\n"];
    const chart = madeChart("edge", {
      "values.yaml": "hub: registry.example/higress\ndebug: false\nmore: { on: true, map: { a: 1 } }\n",
      "templates/a.yaml": `${pod}# {{ .Values.debug }}{{ .Values.more }}\n`,
    });
    const userValues = [
      ...files.map((layer, at) => ({ from: `${at}.yaml`, layer })),
      { from: "site.yaml: values", layer: { hubb: "x", debug: "no" } },
      { from: "site.yaml: releases.nacos.values", layer: { mode: "cluster" }, release: "nacos" },
    ];
    const own = { site, userValues, userPlugins: [], ca: undefined };
    const { failure, findings } = await aPlannedBuild({
      chart: { name: "edge", version: "1.0.0", archive: chart },
      map,
      site: own,
    });
    expect(failure).toBeUndefined();
    expect(findings.map(({ severity, code, facts }) => [severity, code, facts])).toEqual([
      ["warning", "site.release-unknown", { release: "nacos", known: "higress" }],
      ["warning", "chart.value-unread", { chart: "edge 1.0.0", path: "hubb", near: "hub" }],
      ["warning", "chart.value-type", { chart: "edge 1.0.0", path: "more.map", value: '"…"', standing: "{…}" }],
      ["warning", "chart.value-type", { chart: "edge 1.0.0", path: "debug", value: '"no"', standing: "false" }],
    ]);
  });

  const site = Site.parse({
    ...{ apiVersion: "higress-airgap/v1", kind: "Site", registry: { host: "harbor.corp", project: "p" } },
  });
  const file = { from: "/srv/own.yaml", layer: "replicas: 2\nmore: { a: 1 }\n" };
  it.each([
    ["a value that it requires", [file, { from: "--set", layer: { hub: null } }], "hub (--set)", /a hub/],
    [
      "a value that its templates refuse",
      [file, { from: "/srv/site.yaml: values", layer: { mode: "other", replicas: 3 } }],
      "mode (/srv/site.yaml: values)",
      /no such mode/,
    ],
    [
      "two values that its schema refuses",
      [
        { from: "/srv/own.yaml", layer: "replicas: many\ndebug: true\n" },
        { from: "--set", layer: { level: 9 } },
      ],
      "level (--set), replicas (/srv/own.yaml)",
      /level.*replicas/s,
    ],
    [
      "two values that it does not take together",
      [file, { from: "--set", layer: { tls: true, plain: true } }],
      "tls (--set) + plain (--set)",
      /tls or plain/,
    ],
  ])("that break a chart are told by name and file: %s", async (_, userValues, values, says) => {
    const archive = madeChart("edge", {
      "values.yaml": "hub: registry.example/higress\nmode: one\nreplicas: 1\nlevel: 1\n",
      "values.schema.json": JSON.stringify({
        properties: { replicas: { type: "integer" }, level: { type: "integer", maximum: 5 } },
      }),
      "templates/a.yaml": `{{ if ne .Values.mode "one" }}{{ fail "no such mode" }}{{ end }}
{{ if and .Values.tls .Values.plain }}{{ fail "tls or plain" }}{{ end }}
${pod.replace("{{ .Values.hub }}", '{{ required "a hub" .Values.hub }}')}`,
    });
    const { failure } = await aPlannedBuild({
      chart: { name: "edge", version: "1.0.0", archive },
      // What moves the image lies above what the site says, so the map moves none here.
      map: map.replace(
        /images: .*/,
        'images: []\nexceptions: [{ kind: Pod, name: a, path: /spec/containers/0/image, value: "registry.example/higress/a:1", reason: of this test }]',
      ),
      site: { site, userValues, userPlugins: [], ca: undefined },
    });
    expect(failure).toMatchObject({ code: "SITE_VALUE_REFUSED", facts: { chart: "edge 1.0.0", values } });
    expect((failure?.facts as { says: string }).says).toMatch(says);
  });

  it("are not blamed where the chart is refused without them, too", async () => {
    const archive = madeChart("edge", {
      "values.yaml": "hub: registry.example/higress\n",
      "templates/a.yaml": `{{ if hasPrefix "harbor." .Values.hub }}{{ fail "no harbor" }}{{ end }}\n${pod}`,
    });
    const { failure } = await aPlannedBuild({
      chart: { name: "edge", version: "1.0.0", archive },
      map,
      site: { site, userValues: [file], userPlugins: [], ca: undefined },
    });
    expect(failure).toMatchObject({
      code: "CHART_UNUSABLE",
      facts: { why: expect.stringContaining("no harbor") as string },
    });
  });
});

describe("a build", () => {
  it("tells what a chart names on another Kubernetes than the spec's, and says nothing of other objects there", async () => {
    const on = (text: string) => `image: "${text}"`;
    const versioned = {
      "values.yaml": "hub: registry.example/higress\n",
      "templates/a.yaml": pod.replace(
        on("{{ .Values.hub }}/a:1"),
        `image: "{{ .Values.hub }}/a:{{ .Capabilities.KubeVersion.Minor }}"`,
      ),
    };
    const told = async (files: Readonly<Record<string, string>>) => {
      const archive = madeChart("edge", files);
      const { findings, failure } = await aPlannedBuild({ chart: { name: "edge", version: "1.0.0", archive }, map });
      expect(failure).toBeUndefined();
      return findings
        .filter(({ code }) => code === "chart.kube-version")
        .map(({ severity, facts }) => [severity, facts]);
    };
    const references = "registry.example/higress/a:19 registry.example/higress/a:99";
    expect(await told(versioned)).toEqual([["warning", { chart: "edge 1.0.0", version: "1.30.0", references }]]);
    // This one is for no other: the chart says so.
    const chart = "apiVersion: v2\nname: edge\nversion: 1.0.0\nkubeVersion: '~1.30'\n";
    expect(await told({ ...versioned, "Chart.yaml": chart })).toEqual([]);
    const scaled = `{{ if semverCompare ">=1.23-0" .Capabilities.KubeVersion.Version }}${pod}{{ else }}${pod.replace("name: a", "name: b")}{{ end }}`;
    expect(await told({ ...versioned, "templates/a.yaml": scaled })).toEqual([]);
  });

  it("makes no render twice, though names are proved first and then everything", async () => {
    await using folder = await aTempDirectory();
    const calls = join(folder.path, "calls");
    const path = join(folder.path, "helm");
    await writeFile(path, `#!/bin/sh\necho "$1" >> '${calls}'\nexec '${(await tools("3.17")).helm}' "$@"\n`, {
      mode: 0o755,
    });
    const { failure } = await aPlannedBuild({
      chart: {
        ...{ name: "edge", version: "1.0.0" },
        archive: madeChart("edge", { "values.yaml": "hub: registry.example/higress\n", "templates/a.yaml": pod }),
      },
      map,
      helm: { path },
    });
    expect(failure).toBeUndefined();
    const asked = (await readFile(calls, "utf8")).trim().split("\n");
    // As it is, moved to nowhere, and moved to the site.
    expect(asked.filter((command) => command === "template")).toHaveLength(3);
  });
});
