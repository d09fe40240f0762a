import { Failure } from "../../model/failure.ts";
import type { Finding } from "../../model/finding.ts";
import { isMap, mapAt, textAt, type RenderedObject } from "../../model/rendered-object.ts";
import { sanitize } from "../../model/sanitize.ts";
import { isWasmPlugin, unknownFields, type WasmPlugin, type MatchRule } from "../../model/wasm-plugin.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";

/** A WasmPlugin that somebody wrote, and what the plugin will be configured with. */
export interface PluginManifest {
  readonly name: string;
  readonly url?: string | undefined;
  /** JSON, for `proxy_on_configure`; absent when it is switched off and so never loaded. */
  readonly config?: string | undefined;
  readonly findings: readonly Finding[];
}

/**
 * The WasmPlugins in a file of manifests; everything else in it is passed over.
 * @throws Failure CONFIG_INVALID where it is no YAML
 */
export function pluginManifests(text: string, file: string): readonly PluginManifest[] {
  return documentsOf(text, file)
    .flatMap(itemsOf)
    .filter(isMap)
    .filter(isWasmPlugin)
    .map((plugin) => read(plugin, file));
}

function documentsOf(text: string, file: string): readonly unknown[] {
  try {
    return loadTyped(text);
  } catch (cause) {
    if (!(cause instanceof YamlError)) throw cause;
    const problems = `${file}:${cause.line}:${cause.column} ${sanitize(cause.message, 300)}`;
    throw new Failure("CONFIG_INVALID", { file, problems }, { cause });
  }
}

function itemsOf(document: unknown): readonly unknown[] {
  const items = isMap(document) ? document["items"] : undefined;
  return Array.isArray(items) ? (items as readonly unknown[]) : [document];
}

function read(object: RenderedObject, file: string): PluginManifest {
  // A manifest nobody has validated yet: what is not of the right type is not there.
  const name = textAt(mapAt(object, "metadata"), "name") ?? "?";
  const url = textAt(mapAt(object, "spec"), "url");
  const config = effectiveConfig({ ...object, spec: mapAt(object, "spec") } as unknown as WasmPlugin);
  return {
    name,
    ...(url === undefined ? {} : { url }),
    ...(config === undefined ? {} : { config }),
    findings: unknownFields(object, `${file}: ${sanitize(name, 100)}`),
  };
}

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
