import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { isEnabled } from "../../src/model/wasm-plugin.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { aFarSide, farSideUnavailable, said, type FarSide } from "../rig/far-side.ts";
import { gatewayUnavailable } from "../rig/gateway/parts.ts";
import { anAnsweringPlugin, anEnvoyPlugin } from "../rig/gateway/plugins.ts";
import { wasmPlugins } from "../rig/gateway-plays.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { code } from "../rig/wasm/module.ts";

const unavailable = farSideUnavailable() ?? gatewayUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const carried = { bundle: "", next: "" };
const deny = (tag: string) => `${sampleChart.registry}/plugins/deny:${tag}`;
/** It starts and takes its configuration, so that nothing finds it out before the first request. */
const breaks = { proxy_on_request_headers: { parameters: 3, results: 1, body: code.trap } } as const;

beforeAll(async () => {
  if (unavailable !== undefined) return;
  const folder = await aTempDirectory();
  const bundle = async (tag: string, module: Buffer) => {
    const at = join(folder.path, tag);
    await mkdir(at);
    return aBuiltBundle({
      folder: at,
      content: { [deny(tag)]: aWasmPlugin({ module, layout: "single" }) },
      spec: (sample) => {
        const plugins = sample["plugins"] as { list: object[] };
        return { plugins: { ...plugins, list: [...plugins.list, { name: "deny", ref: `oci://${deny(tag)}` }] } };
      },
    });
  };
  carried.bundle = await bundle("1.0.0", anAnsweringPlugin(403));
  carried.next = await bundle("1.1.0", anEnvoyPlugin(breaks));
  return () => folder[Symbol.asyncDispose]();
});

describe.skipIf(unavailable !== undefined)(`the main job on the real Envoy and the real agent${because}`, () => {
  const shared: { far?: FarSide } = {};
  const far = (): FarSide => shared.far as FarSide;
  const status = async () => (await far().gateways?.ask())?.status;
  const states = async () =>
    Object.fromEntries((await wasmPlugins(far())).map((one) => [one.metadata.name, isEnabled(one) ? "on" : "off"]));

  beforeAll(async () => {
    shared.far = await aFarSide({ helm: "4.1", gateway: true });
    return () => far()[Symbol.asyncDispose]();
  });

  it("installs with a plugin on, over TLS with the company's CA and the pull secret, and the plugin answers", async () => {
    await far().writeSite({ plugins: { watchSeconds: 2, enable: ["deny"] } });
    const installed = await far().run(["install", carried.bundle]);
    expect(installed, said(installed)).toMatchObject({ exitCode: 0 });
    expect(said(installed)).not.toContain("could not be seen");
    expect(await states()).toMatchObject({ "deny-1.0.0": "on" });
    expect(await status()).toBe(403);
  });

  it("switches the plugin off and on again by its commands, and requests meet it accordingly", async () => {
    const disabled = await far().run(["plugins", "disable", "--name", "deny"]);
    expect(disabled, said(disabled)).toMatchObject({ exitCode: 0 });
    await expect.poll(status, { timeout: 150_000 }).toBe(200);
    const enabled = await far().run(["plugins", "enable", carried.bundle, "--name", "deny"]);
    expect(enabled, said(enabled)).toMatchObject({ exitCode: 0 });
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
  });

  it("rolls back an upgrade whose plugin breaks under requests, and the old plugin answers again", async () => {
    const upgraded = await far().run(["install", carried.next]);
    expect(upgraded, said(upgraded)).toMatchObject({ exitCode: 0 });
    await expect.poll(status, { timeout: 150_000 }).not.toBe(403);
    const rolledBack = await far().run(["rollback", "--yes"]);
    expect(rolledBack, said(rolledBack)).toMatchObject({ exitCode: 0 });
    await expect.poll(status, { timeout: 150_000 }).toBe(403);
    const [plugin] = (await wasmPlugins(far())).filter(({ metadata }) => metadata.name.startsWith("deny"));
    expect(plugin?.spec?.url).toMatch(/deny:1\.0\.0$/);
  });
});
