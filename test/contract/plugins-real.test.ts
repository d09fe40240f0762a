import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { moduleStarter } from "../../src/edge/wasm/starter.ts";
import { checkPlugin, type PluginCheck } from "../../src/stages/plugins/check.ts";
import { goPlugin, realPlugins } from "../rig/wasm/built.ts";
import { gatewayTable } from "../rig/wasm/gateways.ts";

const check = (
  path: string,
  more: { readonly config?: string; readonly gateway?: string } = {},
): Promise<PluginCheck> =>
  checkPlugin(
    { name: "provider", reference: "oci://test/provider:1", module: readFileSync(path), gateway: "2.2.4", ...more },
    gatewayTable,
    moduleStarter(),
  );
const codes = ({ findings }: PluginCheck): readonly string[] =>
  findings.map(({ severity, code }) => `${severity} ${code}`);

const go = goPlugin();
describe.skipIf(go.unavailable !== undefined)(`a plugin made with Higress' Go SDK ${go.unavailable ?? ""}`, () => {
  it("is configured by a configuration that it likes", async () => {
    const checked = await check(go.path, { config: '{"provider":"qwen"}' });
    expect(checked).toMatchObject({ start: "configured", abi: "0_2_100", findings: [] });
    expect(checked.memory).toBeGreaterThan(1024 ** 2);
  });

  it("refuses a configuration of the wrong type in its own words", async () => {
    const checked = await check(go.path, { config: '{"provider":7}' });
    expect(checked.start).toBe("refused");
    expect(codes(checked)).toEqual(["error plugin.config-refused"]);
    expect(checked.findings[0]?.facts).toMatchObject({
      words: expect.stringContaining("cannot unmarshal number") as string,
    });
  });

  it("says nothing of a configuration that nobody has given", async () => {
    const checked = await check(go.path);
    expect(checked.start).toBe("not-checkable");
    expect(codes(checked)).toEqual(["note plugin.not-checkable"]);
  });

  it("is refused by a gateway of before Go 1.24, with the calls that are missing there", async () => {
    const checked = await check(go.path, { gateway: "2.0.0", config: '{"provider":"qwen"}' });
    expect(checked.start).toBe("skipped");
    expect(codes(checked)).toEqual(["error plugin.import-missing"]);
    expect(JSON.stringify(checked.findings)).toContain("wasi_snapshot_preview1.sched_yield");
  });
});

const real = realPlugins();
describe.skipIf(real.unavailable !== undefined)(`plugins that others ship ${real.unavailable ?? ""}`, () => {
  it.each(real.plugins)("$name $version loads on a current gateway", async ({ path }) => {
    const checked = await check(path);
    expect(checked.abi).toBe("0_2_100");
    expect(checked.findings.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(["configured", "not-checkable"]).toContain(checked.start);
  });
});
