import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { anImage, anIndex } from "../rig/builders/images.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { madeChart } from "../rig/charts/made.ts";
import { runCommand } from "../rig/command.ts";
import { aLockItem } from "../rig/lock-item.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { tools } from "../rig/tools.ts";
import { aConsoleImage, aConsoleJar, anSdkJar, aSpec } from "../rig/wasm/console.ts";

const unavailable = dockerRegistryUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const host = "registry.example";
const locked = "locked.example";
const before = anIndex({ "linux/amd64": anImage({ annotations: { at: "before" } }) });
const now = anIndex({ "linux/amd64": anImage({ annotations: { at: "now" } }) });
const plugin = (version: string): string => `${host}/plugins/key-auth:${version}`;
const consoleOf = (url: string) =>
  aConsoleImage(
    aConsoleJar(anSdkJar({ "key-auth": { url: `oci://${url}`, spec: aSpec({ name: "key-auth", version: "1.0.0" }) } })),
  );

const chart = (version: string): Buffer =>
  madeChart(
    "higress",
    {
      "values.yaml": `image: ${host}/higress/console:${version}\n`,
      "templates/a.yaml":
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: higress-console }\nspec: { template: { spec: { containers: [{ name: higress-console, image: "{{ .Values.image }}" }] } } }\n',
    },
    version,
  );
const map =
  "apiVersion: higress-airgap/v1\nkind: RelocationMap\nchart: higress\nversion: 2.2.4\nimages: []\nconsole: { kind: Deployment, name: higress-console, container: higress-console }\n";

/** A chart repository with these versions. */
async function aChartRepository(versions: readonly string[]) {
  const archives = new Map(versions.map((version) => [`/higress-${version}.tgz`, chart(version)]));
  const entries = [...archives].map(([path, bytes], at) => ({
    version: versions[at],
    urls: [path.slice(1)],
    digest: createHash("sha256").update(bytes).digest("hex"),
  }));
  const index = JSON.stringify({ apiVersion: "v1", entries: { higress: entries } });
  const server = createServer(({ url = "" }, response) => {
    response.end(url === "/index.yaml" ? index : (archives.get(url) ?? ""));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

describe.skipIf(unavailable !== undefined)(`outdated${because}`, () => {
  const rig = { folder: "", registry: "", locked: "", helm: "" };
  beforeAll(async () => {
    const folder = await aTempDirectory();
    const source = await aDockerRegistry();
    const behindLogin = await aDockerRegistry({ htpasswd: { user: "reader", password: "right" } });
    await seed(source.url, {
      [`${host}/a/moved:1`]: now,
      [`${host}/a/same:1`]: before,
      [`${host}/higress/console:2.2.5`]: anIndex({ "linux/amd64": consoleOf(plugin("3.0.0")) }),
      [plugin("2.0.0")]: aWasmPlugin(),
    });
    const { helm } = await tools("3.17");
    Object.assign(rig, { folder: folder.path, registry: source.url, locked: behindLogin.url, helm });
    await writeFile(join(folder.path, "map.yaml"), map);
    return async () => {
      await source[Symbol.asyncDispose]();
      await behindLogin[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });

  async function asked(versions: readonly string[], items: readonly object[] | undefined, ...args: readonly string[]) {
    return await askedOf({}, versions, items, ...args);
  }

  /** `more` is of the chart in the spec, which may name a repository that is not there and mirrors. */
  async function askedOf(
    more: { readonly from?: string; readonly mirrors?: readonly string[] },
    versions: readonly string[],
    items: readonly object[] | undefined,
    ...args: readonly string[]
  ) {
    await using charts = await aChartRepository(versions);
    const spec = {
      ...{ apiVersion: "higress-airgap/v1", kind: "BundleSpec", name: "higress", version: "2.2.4" },
      charts: [
        { name: "higress", version: "2.2.4", from: charts.url, mirrors: [charts.url], relocation: "map.yaml", ...more },
      ],
      plugins: { list: [{ name: "key-auth", ref: `oci://${plugin("2.0.0")}`, digest: aWasmPlugin().root.digest }] },
      registries: {
        [host]: { endpoints: [{ url: rig.registry }] },
        [locked]: { endpoints: [{ url: rig.locked }] },
      },
    };
    await writeFile(join(rig.folder, "bundle.yaml"), JSON.stringify(spec));
    const lock = {
      ...{ lockVersion: 1, name: "higress", version: "2.2.4", platforms: ["linux/amd64"], kubeVersion: "1.30.0" },
      ...{ created: "2026-01-02T03:04:05Z", items, files: [] },
    };
    if (items !== undefined) await writeFile(join(rig.folder, "last.lock.json"), JSON.stringify(lock));
    const named = items === undefined ? [] : ["--lock", "last.lock.json"];
    return await runCommand(["outdated", "bundle.yaml", "--helm", rig.helm, ...named, ...args], { cwd: rig.folder });
  }
  const carried = [
    aLockItem(`${host}/a/moved:1`, before),
    aLockItem(`${host}/a/same:1`, before),
    aLockItem(`${host}/a/gone:1`, before),
    aLockItem(plugin("2.0.0"), aWasmPlugin(), { kind: "plugin", name: "key-auth" }),
  ];

  it("names the newer chart, the plugin that its console asks for, and every tag that was moved: exit code 3", async () => {
    const { code, stdout } = await asked(["2.2.3", "2.2.4", "2.2.5", "2.3.0-rc.1"], carried, "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toEqual([
      { severity: "warning", code: "outdated.chart", facts: { chart: "higress 2.2.4", newest: "2.2.5" } },
      {
        ...{ severity: "warning", code: "outdated.plugin" },
        facts: { plugin: "key-auth", carried: plugin("2.0.0"), console: plugin("3.0.0"), chart: "higress 2.2.5" },
      },
      {
        ...{ severity: "warning", code: "outdated.tag" },
        facts: { reference: `${host}/a/moved:1`, carried: before.root.digest, found: now.root.digest },
      },
      {
        ...{ severity: "warning", code: "outdated.tag" },
        facts: { reference: `${host}/a/gone:1`, carried: before.root.digest, found: "404" },
      },
    ]);
  });

  it("asks the mirror of a chart where its repository is not there", async () => {
    const same = carried.filter(({ reference }) => !/moved|gone/.test(reference));
    const { code, stdout } = await askedOf({ from: `${rig.registry}/none` }, ["2.2.5"], same, "--json");
    expect(code).toBe(3);
    expect(stdout).toContain('"newest": "2.2.5"');
  });

  it("names each source that cannot be asked, and asks the others all the same: exit code 1 where nothing else is due", async () => {
    const behind = ["one", "two"].map((name) => aLockItem(`${locked}/a/${name}:1`, before));
    const away = { from: `${rig.registry}/none`, mirrors: [] };
    const { code, stdout } = await askedOf(away, [], [...carried, ...behind], "--json");
    const told = (JSON.parse(stdout) as { code: string; facts: { reference: string; why?: string } }[]).map(
      ({ code: each, facts: { reference, why } }) => [each, reference, why],
    );
    const unasked = [
      ["source.unresolved", "higress 2.2.4", "REGISTRY_NOT_FOUND"],
      ["source.unresolved", `${locked}/a/one:1 (+1)`, "REGISTRY_UNAUTHORIZED"],
    ];
    const moved = ["moved", "gone"].map((name) => ["outdated.tag", `${host}/a/${name}:1`, undefined]);
    expect([code, told]).toEqual([3, [unasked[0], ...moved, unasked[1]]]);
    const same = carried.filter(({ reference }) => !/moved|gone/.test(reference));
    expect(await askedOf(away, [], [...same, ...behind])).toMatchObject({ code: 1 });
  });

  it("is done where nothing moved", async () => {
    const same = carried.filter(({ reference }) => !/moved|gone/.test(reference));
    expect(await asked(["2.2.4", "2.3.0-rc.1"], same)).toMatchObject({ code: 0, stdout: "no findings\n" });
  });

  it("compares what the spec pins where there is no lock, and says so", async () => {
    const { code, stderr } = await asked(["2.2.4"], undefined);
    expect(code).toBe(0);
    expect(stderr).toContain("outdated.no-lock");
  });
});
