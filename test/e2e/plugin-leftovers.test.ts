import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { isEnabled, type WasmPlugin } from "../../src/model/wasm-plugin.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { aFarSide, farSideUnavailable, harborHost, namespace, said, succeeds, type FarSide } from "../rig/far-side.ts";
import { gatewayPlays, wasmPlugins } from "../rig/gateway-plays.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const { registry } = sampleChart;

/** What a cluster that once had the internet is left with. */
const earlier: Readonly<Record<string, object>> = {
  carried: { url: `oci://${registry}/plugins/cors:2.0.1`, defaultConfig: { allow: ["*"] } },
  gone: {
    url: "oci://ghcr.io/acme/own:1",
    imagePullSecret: "theirs",
    matchRules: [
      { domain: ["a.test"], config: { key: "sk-planted" } },
      { domain: ["b.test"], configDisable: true },
    ],
  },
  raw: { url: "https://acme.example/x.wasm", pluginConfig: { key: "sk-planted" } },
  mcp: { url: "oci://higress-registry.cn-hangzhou.cr.aliyuncs.com/mcp-server/all-in-one:1.0.0", defaultConfig: {} },
  inside: { url: `oci://${harborHost}/higress/plugins/cors:2.0.1`, defaultConfig: {} },
};

describe.skipIf(unavailable !== undefined)(`plugins of an earlier life${because}`, () => {
  const carried = { bundle: "" };
  beforeAll(async () => {
    const folder = await aTempDirectory();
    carried.bundle = await aBuiltBundle({ folder: folder.path });
    return () => folder[Symbol.asyncDispose]();
  });

  it("are repointed or switched off before the first gateway starts, and given back by uninstall", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    // CRDs of the earlier life are there, as an uninstall leaves them, and so are the plugins.
    await succeeds(far, ["install", carried.bundle]);
    await succeeds(far, ["uninstall", "--yes"]);
    await leave(far);
    // A gateway that sees one of them waits for it for ever, as a real one does.
    const outside = (plugin: WasmPlugin) => plugin.spec?.url?.includes(harborHost) !== true;
    gatewayPlays(far, outside, { kind: "unready", message: "waiting for wasm" });

    const asked = await succeeds(far, ["preflight", carried.bundle]);
    for (const [name, url] of [
      ["carried", "plugins/cors:2.0.1"],
      ["gone", "acme/own:1"],
      ["raw", "x.wasm"],
    ])
      expect(asked.stderr).toMatch(new RegExp(`^ {4}The WasmPlugin ${name!} points to .*${url!}`, "m"));
    expect(asked.stderr).toMatch(/✓ cluster: /);
    // All of them alike: one head, one remedy.
    expect(asked.stderr).toMatch(/^ {2}warning \[cluster\.leftover-plugin\] × 4$/m);

    const installed = await succeeds(far, ["install", carried.bundle]);
    expect(said(installed)).not.toContain("sk-planted");
    expect(installed.stderr).toMatch(
      /WasmPlugin carried: repointed from \S+cors:2\.0\.1 to oci:\/\/harbor\S+cors:2\.0\.1;/,
    );
    expect(installed.stderr).toMatch(/WasmPlugin raw: switched off, since no gateway reaches https:\S+x\.wasm/);
    expect(installed.stderr).toMatch(/\[plugin\.off-outside\].* raw .*\n.*plugins\.list/);
    const live = await specs(far);
    expect(live["carried"]).toMatchObject({ url: `oci://${harborHost}/higress/plugins/cors:2.0.1`, on: true });
    // Under the name that it had before.
    expect(live["mcp"]).toMatchObject({ url: expect.stringMatching(`^oci://${harborHost}/.*mcp-server:`) as string });
    expect(live["gone"]).toMatchObject({ url: "oci://ghcr.io/acme/own:1", on: false });
    expect(live["raw"]).toMatchObject({ url: "https://acme.example/x.wasm", on: false });
    await succeeds(far, ["install", carried.bundle]);

    const gone = await succeeds(far, ["uninstall", "--yes"]);
    expect(gone.stderr).not.toContain("warning");
    expect(await plain(far)).toEqual(earlier);
  });

  it("that somebody brings later are given back by the rollback of the install that moved them", async () => {
    await using far = await aFarSide({ helm: "3.17" });
    await succeeds(far, ["install", carried.bundle]);
    await leave(far);
    await far.writeSite({ values: { "higress-core": { gateway: { replicas: 2 } } } });
    await succeeds(far, ["install", carried.bundle]);
    expect((await specs(far))["carried"]).toMatchObject({ url: expect.stringContaining(harborHost) as string });
    await succeeds(far, ["rollback", "--yes"]);
    expect(await plain(far)).toMatchObject(earlier);
  });
});

async function leave(far: FarSide): Promise<void> {
  const items = Object.entries(earlier).map(([name, spec]) => ({
    apiVersion: "extensions.higress.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name, namespace },
    spec,
  }));
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const apply = ["--kubeconfig", far.cluster.kubeconfig, "apply", "-f", "-"];
  await execa(far.tools.kubectl, ["--kubeconfig", far.cluster.kubeconfig, "create", "namespace", namespace], {
    reject: false,
  });
  await execa(far.tools.kubectl, apply, { input: list });
}

async function specs(far: FarSide): Promise<Readonly<Record<string, object>>> {
  return Object.fromEntries(
    (await wasmPlugins(far)).map((plugin) => [plugin.metadata.name, { ...plugin.spec, on: isEnabled(plugin) }]),
  );
}

/** As their owner wrote them. */
async function plain(far: FarSide): Promise<Readonly<Record<string, object>>> {
  return Object.fromEntries((await wasmPlugins(far)).map(({ metadata, spec }) => [metadata.name, spec ?? {}]));
}
