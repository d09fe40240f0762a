import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, it } from "vitest";

import { moduleStarter } from "../../src/edge/wasm/starter.ts";
import { GatewayGenerations } from "../../src/model/gateway.ts";
import { checkPlugin } from "../../src/stages/plugins/check.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import { envoyLoads } from "../rig/gateway/envoy.ts";
import { oddModules } from "../rig/gateway/modules.ts";
import { envoyUnavailable } from "../rig/gateway/parts.ts";
import { withExportRenamed } from "../rig/gateway/rename-export.ts";
import { assemblyScriptPlugin, goPlugin, realPlugins, rustPlugin } from "../rig/wasm/built.ts";

const version = "1.40.0";
const reason = envoyUnavailable(version);
const table = GatewayGenerations.parse(loadTyped(readFileSync("manifests/higress/gateways.yaml", "utf8"))[0]);
const gateways = { ...table, releases: [{ versions: ">=1.0.0 <2", generation: "envoy-upstream" }] };
const names = Object.keys(await oddModules());

/** Where we say something else than Envoy, and why that is right. */
const known: Readonly<Record<string, string>> = {
  "a trap in proxy_on_context_create":
    "Envoy takes the filter, whose plugin is dead: every request fails, or passes it by with FAIL_OPEN",
};

const ours = async (module: Uint8Array, config: string, timeoutMs: number) => {
  const input = { name: "plugin", reference: "r", module, gateway: "1.40.0", config };
  const { findings } = await checkPlugin(input, gateways, moduleStarter(), { timeoutMs });
  return findings;
};

/** What both say of a module with a configuration, in one word, and the words of each. */
async function both(module: Uint8Array, config: string, hangMs?: number) {
  const [envoy, findings] = await Promise.all([
    envoyLoads(module, config, version, hangMs),
    ours(module, config, hangMs ?? 60_000),
  ]);
  const verdict = (loads: boolean): string => (loads ? "loads" : "does not load");
  return {
    envoy: verdict(envoy.loads),
    we: verdict(!findings.some(({ severity }) => severity === "error")),
    words: `${envoy.lines.slice(0, 3).join(" | ")}\n${JSON.stringify(findings)}`,
  };
}

const because = reason === undefined ? "" : ` (not run: ${reason})`;

describe.skipIf(reason)(`plugins check against Envoy ${version}${because}`, () => {
  let modules: Readonly<Record<string, Uint8Array>>;
  beforeAll(async () => {
    modules = await oddModules();
  });

  it.each(names)("agrees about %s", async (name) => {
    const { envoy, we, words } = await both(
      modules[name] ?? Buffer.alloc(0),
      "{}",
      name.includes("loop") ? 6_000 : undefined,
    );
    if (known[name] !== undefined) expect(we, words).not.toBe(envoy);
    else expect(we, words).toBe(envoy);
  });
});

const forEnvoy = (path: string): Buffer =>
  withExportRenamed(readFileSync(path), "proxy_abi_version_0_2_100", "proxy_abi_version_0_2_1");

const go = goPlugin();
describe.skipIf(reason ?? go.unavailable)(
  `a plugin of the Go SDK and Envoy ${version} ${go.unavailable ?? because}`,
  () => {
    it.each(['{"provider":"qwen"}', '{"provider":7}'])("agree about %s", async (config) => {
      const { envoy, we, words } = await both(forEnvoy(go.path), config);
      expect(we, words).toBe(envoy);
    });
  },
);

const assemblyScript = assemblyScriptPlugin();
describe.skipIf(reason ?? assemblyScript.unavailable)(
  `a plugin of the AssemblyScript SDK and Envoy ${version} ${assemblyScript.unavailable ?? because}`,
  () => {
    it.each([
      { config: '{"a":1}', verdict: "loads" },
      { config: "{}", verdict: "does not load" },
      { config: JSON.stringify({ aborts: "x".repeat(40) }), verdict: "does not load" },
    ])("agree that with $config it $verdict", async ({ config, verdict }) => {
      const { envoy, we, words } = await both(readFileSync(assemblyScript.path), config);
      expect([we, envoy], words).toEqual([verdict, verdict]);
    });
  },
);

const rust = rustPlugin();
describe.skipIf(reason ?? rust.unavailable)(
  `a plugin of the Rust SDK and Envoy ${version} ${rust.unavailable ?? because}`,
  () => {
    it.each([
      { config: '{"refuse":"x-block"}', verdict: "loads", word: /^$/ },
      { config: "{}", verdict: "does not load", word: /refuse is missing/ },
      { config: '{"panic":true}', verdict: "does not load", word: /panicked at 'told to'/ },
      { config: "", verdict: "does not load", word: /refuse is missing/ },
    ])("agree that with $config it $verdict", async ({ config, verdict, word }) => {
      const { envoy, we, words } = await both(readFileSync(rust.path), config);
      expect([we, envoy], words).toEqual([verdict, verdict]);
      if (verdict !== "loads") for (const said of words.split("\n")) expect(said).toMatch(word);
    });
  },
);

const real = realPlugins();
/** Each takes seconds to minutes of compiling; the other twelve were held against Envoy once, and all agreed. */
const chosen: ReadonlySet<string> = new Set(["gpustack-ip-acl", "transformer"]);
describe.skipIf(reason ?? real.unavailable)(
  `plugins that others ship and Envoy ${version} ${real.unavailable ?? because}`,
  () => {
    it.each(real.plugins.filter(({ name }) => chosen.has(name)))("agree about $name $version", async ({ path }) => {
      const { envoy, we, words } = await both(forEnvoy(path), "{}");
      expect(we, words).toBe(envoy);
    });
  },
);
