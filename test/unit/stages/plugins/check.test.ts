import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { checkPlugin, type PluginCheckInput } from "../../../../src/stages/plugins/check.ts";
import type { StartResult } from "../../../../src/model/plugin-start.ts";
import { gatewayTable } from "../../../rig/wasm/gateways.ts";
import { aProxyPlugin, code, type AFunction } from "../../../rig/wasm/module.ts";

const fine: StartResult = {
  steps: { compile: 1, instantiate: 1, start: 1, context: 1, vm: 1, configure: 1, http: 1 },
  logs: [],
  memory: 65_536,
};

async function check(module: Uint8Array, result: StartResult = fine, more: Partial<PluginCheckInput> = {}) {
  const started: string[] = [];
  const starter = {
    start: (_module: Uint8Array, config: string) => {
      started.push(config);
      return Promise.resolve(result);
    },
  };
  const input = { name: "p", reference: "oci://r/p:1", module, gateway: "2.2.4", config: "{}", ...more };
  const checked = await checkPlugin(input, gatewayTable, starter);
  const findings = checked.findings.map(({ severity, code: what, facts }) => ({ severity, code: what, facts }));
  return { ...checked, findings, started };
}
const nothing: AFunction = { body: code.nothing };
const importing = (module: string, name: string) => aProxyPlugin({}, { imports: [{ module, name }] });

describe("checkPlugin, without starting anything,", () => {
  it.each<[string, Uint8Array, string, object]>([
    ["text", Buffer.from("<html>"), "plugin.not-wasm", { plugin: "p", why: "no wasm magic" }],
    ["a packed layer", gzipSync("x"), "plugin.not-wasm", { plugin: "p", why: "gzip: an OCI layer?" }],
    ["no ABI", aProxyPlugin({ proxy_abi_version_0_2_100: undefined }), "plugin.abi", { plugin: "p", has: "-" }],
    [
      "an ABI that this gateway does not speak",
      aProxyPlugin({ proxy_abi_version_0_2_100: undefined, proxy_abi_version_0_3_0: nothing }),
      "plugin.abi",
      { plugin: "p", has: "0_3_0" },
    ],
    [
      "no allocator",
      aProxyPlugin({ malloc: undefined }),
      "plugin.exports",
      { plugin: "p", missing: "malloc or proxy_on_memory_allocate" },
    ],
    [
      "a callback of another type",
      aProxyPlugin({ proxy_on_configure: { parameters: 2, body: code.nothing } }),
      "plugin.types",
      { plugin: "p", functions: "proxy_on_configure (i32 i32 -> void; i32 i32 -> i32)" },
    ],
    [
      "an import of another type",
      importing("env", "proxy_log"),
      "plugin.types",
      { plugin: "p", functions: "env.proxy_log (void -> i32; i32 i32 i32 -> i32)" },
    ],
    [
      "a call that no gateway has",
      importing("env", "proxy_teleport"),
      "plugin.import-missing",
      { plugin: "p", imports: "env.proxy_teleport", gateway: "2.2.4" },
    ],
    [
      "a call of an older ABI",
      importing("env", "proxy_continue_request"),
      "plugin.import-missing",
      { plugin: "p", imports: "env.proxy_continue_request", gateway: "2.2.4" },
    ],
    [
      "a module that is no host's",
      importing("go", "runtime.ticks"),
      "plugin.import-missing",
      { plugin: "p", imports: "go.runtime.ticks", gateway: "2.2.4" },
    ],
  ])("refuses a module with %s", async (_name, module, what, facts) => {
    const { findings, start, started } = await check(module);
    expect(findings).toEqual([{ severity: "error", code: what, facts }]);
    expect([start, started]).toEqual(["skipped", []]);
  });

  it.each<[string, Record<string, AFunction | undefined>]>([
    ["_initialize", { _initialize: undefined }],
    ["proxy_on_context_create", { proxy_on_context_create: undefined }],
    ["one ABI only", { proxy_abi_version_0_2_1: nothing }],
  ])("does not insist on %s, as no gateway does", async (_what, overrides) => {
    expect((await check(aProxyPlugin(overrides))).findings).toEqual([]);
  });

  it("refuses what an agent would not download", async () => {
    const { findings } = await check(new Uint8Array(256 * 1024 ** 2));
    expect(findings).toEqual([
      { severity: "error", code: "plugin.too-large", facts: { plugin: "p", size: "256.0 MiB", limit: "256.0 MiB" } },
    ]);
  });

  it("holds a gateway's own calls against the release: newer ones are missing in an old one", async () => {
    const module = importing("env", "proxy_inject_encoded_data_to_filter_chain");
    expect(await check(module)).toMatchObject({
      findings: [],
      higressOnly: ["proxy_inject_encoded_data_to_filter_chain"],
    });
    expect((await check(module, fine, { gateway: "2.0.0" })).findings).toMatchObject([
      { code: "plugin.import-missing" },
    ]);
  });

  it("guesses nothing about a release that nobody has looked at", async () => {
    for (const gateway of ["9.9.9", "10.0.0"]) {
      const checked = await check(importing("env", "proxy_teleport"), fine, { gateway });
      expect(checked.findings).toEqual([
        { severity: "note", code: "plugin.gateway-unknown", facts: { plugin: "p", gateway } },
      ]);
      expect(checked.start).toBe("configured");
    }
  });

  it("refuses a plugin that asks for a later gateway", async () => {
    const { findings } = await check(aProxyPlugin(), fine, { gatewayMinVersion: "2.3.0" });
    expect(findings).toEqual([
      { severity: "error", code: "plugin.gateway-too-old", facts: { plugin: "p", wants: "2.3.0", gateway: "2.2.4" } },
    ]);
    expect((await check(aProxyPlugin(), fine, { gatewayMinVersion: "" })).findings).toEqual([]);
  });
});

describe("checkPlugin, by a start,", () => {
  const logs = [
    { level: "info", text: "hello" },
    { level: "error", text: "provider \u001b[31mis missing\n" },
  ];
  const stopped = (step: "start" | "configure" | "compile", why: string): StartResult => ({
    steps: { compile: 1 },
    logs,
    memory: 1,
    error: { step, why },
  });
  const no: StartResult = { ...fine, logs, steps: { ...fine.steps, configure: 0 } };

  it.each<[string, StartResult, string | undefined, string, string | undefined, object]>([
    ["takes one that starts", fine, "{}", "configured", undefined, {}],
    [
      "reports a refused configuration in the plugin's words",
      no,
      "{}",
      "refused",
      "error plugin.config-refused",
      { words: "provider is missing" },
    ],
    [
      "makes nothing of a refusal when there was no configuration",
      no,
      undefined,
      "not-checkable",
      "note plugin.not-checkable",
      { why: "provider is missing" },
    ],
    [
      "makes nothing of a trap over no configuration",
      stopped("configure", "unreachable"),
      undefined,
      "not-checkable",
      "note plugin.not-checkable",
      { why: "unreachable" },
    ],
    [
      "reports a trap over a configuration",
      stopped("configure", "unreachable"),
      "{}",
      "refused",
      "error plugin.start-failed",
      { words: "configure: unreachable (provider is missing)" },
    ],
    [
      "reports a trap before any configuration",
      stopped("start", "unreachable"),
      undefined,
      "refused",
      "error plugin.start-failed",
      { words: "start: unreachable (provider is missing)" },
    ],
    [
      "reports a VM that does not start",
      { ...fine, steps: { ...fine.steps, vm: 0 } },
      "{}",
      "refused",
      "error plugin.start-failed",
      { words: "vm: 0" },
    ],
    [
      "reports a module that does not compile",
      stopped("compile", "bad opcode"),
      "{}",
      "refused",
      "error plugin.not-wasm",
      { why: "bad opcode" },
    ],
  ])("%s", async (_name, result, config, start, what, facts) => {
    const checked = await check(aProxyPlugin(), result, { config });
    expect(checked.start).toBe(start);
    expect(checked.findings.map((each) => `${each.severity} ${each.code}`)).toEqual(what === undefined ? [] : [what]);
    expect(checked.findings[0]?.facts ?? { plugin: "p" }).toEqual({ plugin: "p", ...facts });
  });

  it("hands the configuration over as it is", async () => {
    expect((await check(aProxyPlugin(), fine, { config: '{"a": 1 }' })).started).toEqual(['{"a": 1 }']);
  });

  it("shows a panic of Go as the one line that it is, not as the pieces that it is written in", async () => {
    const pieces = ["panic: ", "no route", "\n", "\n", "goroutine ", "1", " [running]:\n", "main.main()\n"];
    const logs = pieces.map((text) => ({ level: "stderr", text }));
    const stopped = { ...fine, steps: { compile: 1 }, logs, error: { step: "start", why: "unreachable" } } as const;
    const { findings } = await check(aProxyPlugin(), stopped);
    expect(findings).toMatchObject([{ facts: { words: "start: unreachable (panic: no route)" } }]);
  });
});
