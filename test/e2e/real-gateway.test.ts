import { beforeAll, describe, expect, it } from "vitest";
import { isEnabled } from "../../src/model/wasm-plugin.ts";
import { aWasmPlugin } from "../rig/builders/plugins.ts";
import { aBuiltBundle } from "../rig/built-bundle.ts";
import { sampleChart } from "../rig/charts/pack.ts";
import { aFarSide, farSideUnavailable, said, type FarSide } from "../rig/far-side.ts";
import { gatewayUnavailable } from "../rig/gateway/parts.ts";
import { anAnsweringPlugin } from "../rig/gateway/plugins.ts";
import { wasmPlugins } from "../rig/gateway-plays.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";

const unavailable = farSideUnavailable() ?? gatewayUnavailable();
const because = unavailable === undefined ? "" : ` (not run: ${unavailable})`;
const carried = { bundle: "" };
const deny = `${sampleChart.registry}/plugins/deny:1.0.0`;

beforeAll(async () => {
  if (unavailable !== undefined) return;
  const folder = await aTempDirectory();
  carried.bundle = await aBuiltBundle({
    folder: folder.path,
    content: { [deny]: aWasmPlugin({ module: anAnsweringPlugin(403), layout: "single" }) },
    spec: (sample) => {
      const plugins = sample["plugins"] as { list: object[] };
      return { plugins: { ...plugins, list: [...plugins.list, { name: "deny", ref: `oci://${deny}` }] } };
    },
  });
  return () => folder[Symbol.asyncDispose]();
}, 120_000);

describe.skipIf(unavailable !== undefined)(`the main job on the real Envoy and the real agent${because}`, () => {
  const shared: { far?: FarSide } = {};
  const far = (): FarSide => shared.far as FarSide;
  const status = async () => (await far().gateways?.ask())?.status;
  const states = async () =>
    Object.fromEntries((await wasmPlugins(far())).map((one) => [one.metadata.name, isEnabled(one) ? "on" : "off"]));

  beforeAll(async () => {
    shared.far = await aFarSide({ helm: "4.1", gateway: true });
    return () => far()[Symbol.asyncDispose]();
  }, 120_000);

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
    await expect.poll(status, { timeout: 30_000 }).toBe(200);
    const enabled = await far().run(["plugins", "enable", carried.bundle, "--name", "deny"]);
    expect(enabled, said(enabled)).toMatchObject({ exitCode: 0 });
    await expect.poll(status, { timeout: 30_000 }).toBe(403);
  });
});
