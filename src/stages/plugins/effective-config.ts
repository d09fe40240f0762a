import type { MatchRule, WasmPlugin } from "../../model/wasm-plugin.ts";

/**
 * The configuration that the gateway hands the plugin, as JSON: `convertIstioWasmPlugin` of the controller
 * (ingress_config.go). A raw `pluginConfig` wins; else the default configuration with the rules that are switched on
 * under `_rules_`, each with what it matches. `""` when there is none; `undefined` when nothing is switched on, so that
 * the plugin is never loaded.
 */
export function effectiveConfig({ spec = {} }: WasmPlugin): string | undefined {
  if (spec.pluginConfig !== undefined) return JSON.stringify(spec.pluginConfig);
  // A manifest nobody has validated yet: what is no list has no rules.
  const listed = Array.isArray(spec.matchRules) ? (spec.matchRules as readonly (MatchRule | null)[]) : [];
  const rules = listed
    .filter((rule) => rule !== null)
    .filter(({ configDisable }) => configDisable !== true)
    .map(printRule);
  const off = spec.defaultConfigDisable === true;
  if (off && rules.length === 0) return undefined;
  const base = off ? undefined : spec.defaultConfig;
  if (base === undefined && rules.length === 0) return "";
  return JSON.stringify({ ...(base as object | undefined), ...(rules.length === 0 ? {} : { _rules_: rules }) });
}

function printRule(rule: MatchRule): object {
  const matches = { _match_route_: rule["ingress"], _match_service_: rule["service"], _match_domain_: rule["domain"] };
  const present = Object.entries(matches).filter(([, names]) => Array.isArray(names) && names.length > 0);
  return { ...(rule["config"] as object | undefined), ...Object.fromEntries(present) };
}
