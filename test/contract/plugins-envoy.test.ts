import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, it } from "vitest";

import { moduleStarter } from "../../src/edge/wasm/starter.ts";
import { GatewayGenerations } from "../../src/model/gateway.ts";
import { checkPlugin } from "../../src/stages/plugins/check.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import { envoyLoads, type EnvoyVerdict } from "../rig/gateway/envoy.ts";
import { oddModules } from "../rig/gateway/modules.ts";
import { envoyUnavailable } from "../rig/gateway/parts.ts";

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

describe.skipIf(reason)(
  `plugins check against Envoy ${version}${reason === undefined ? "" : ` (not run: ${reason})`}`,
  () => {
    let modules: Readonly<Record<string, Uint8Array>>;
    beforeAll(async () => {
      modules = await oddModules();
    });

    const ours = async (module: Uint8Array) => {
      const input = { name: "plugin", reference: "r", module, gateway: "1.40.0", config: "{}" };
      const { findings } = await checkPlugin(input, gateways, moduleStarter(), { timeoutMs: 3_000 });
      return findings;
    };
    const verdict = ({ loads }: EnvoyVerdict): string => (loads ? "loads" : "does not load");

    it.each(names)("agrees about %s", async (name) => {
      const module = modules[name] ?? Buffer.alloc(0);
      const [envoy, findings] = await Promise.all([envoyLoads(module, "{}", version), ours(module)]);
      const said = findings.some(({ severity }) => severity === "error") ? "does not load" : "loads";
      const words = `${envoy.lines.slice(0, 3).join(" | ")}\n${JSON.stringify(findings)}`;
      if (known[name] !== undefined) expect(said, words).not.toBe(verdict(envoy));
      else expect(said, words).toBe(verdict(envoy));
    });
  },
);
