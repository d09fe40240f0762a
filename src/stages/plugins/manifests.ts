import { loadAll } from "js-yaml";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { sanitize } from "../../model/sanitize.ts";
import type { WasmPlugin } from "../../model/wasm-plugin.ts";
import { effectiveConfig } from "./effective-config.ts";

/** A WasmPlugin that somebody wrote, and what the plugin will be configured with. */
export interface PluginManifest {
  readonly name: string;
  readonly url?: string | undefined;
  /** JSON, for `proxy_on_configure`; absent when it is switched off and so never loaded. */
  readonly config?: string | undefined;
  readonly findings: readonly Finding[];
}

/** Fields that are written again and again, that no CRD has, and that the API server prunes without a word. */
const mistaken: Readonly<Record<string, string>> = {
  image: "spec.url",
  settings: "spec.url",
  imagePullSecrets: "spec.imagePullSecret",
  config: "spec.defaultConfig",
};

const known: ReadonlySet<string> = new Set([
  ...["url", "sha256", "imagePullPolicy", "imagePullSecret", "verificationKey", "pluginConfig", "pluginName", "phase"],
  ...["priority", "failStrategy", "vmConfig", "defaultConfig", "defaultConfigDisable", "matchRules", "selector"],
  // Of Istio's own kind alone.
  ...["match", "type", "targetRef", "targetRefs"],
]);

/**
 * The WasmPlugins in a file of manifests; everything else in it is passed over.
 * @throws Failure CONFIG_INVALID where it is no YAML
 */
export function pluginManifests(text: string, file: string): readonly PluginManifest[] {
  let documents: readonly unknown[];
  try {
    documents = loadAll(text, { maxAliases: 1000 });
  } catch (cause) {
    throw new Failure("CONFIG_INVALID", { file, problems: sanitize((cause as Error).message, 300) }, { cause });
  }
  return documents
    .flatMap(itemsOf)
    .filter(isWasmPlugin)
    .map((plugin) => read(plugin, file));
}

function itemsOf(document: unknown): readonly unknown[] {
  const items = (document as { readonly items?: unknown } | null)?.items;
  return Array.isArray(items) ? (items as readonly unknown[]) : [document];
}

function isWasmPlugin(document: unknown): document is WasmPlugin {
  const { kind, apiVersion } = (document ?? {}) as { readonly kind?: unknown; readonly apiVersion?: unknown };
  return (
    kind === "WasmPlugin" && typeof apiVersion === "string" && /^extensions\.(higress|istio)\.io\//.test(apiVersion)
  );
}

function read(plugin: WasmPlugin, file: string): PluginManifest {
  const spec = plugin.spec ?? {};
  const metadata = plugin.metadata as { readonly name?: unknown } | null | undefined;
  const name = typeof metadata?.name === "string" ? metadata.name : "?";
  const manifest = `${file}: ${sanitize(name, 100)}`;
  const findings = Object.keys(spec)
    .filter((field) => !known.has(field))
    .map((field) => {
      const facts = { manifest, field: `spec.${sanitize(field, 60)}`, instead: mistaken[field] ?? "" };
      return finding("error", "plugin.unknown-field", facts);
    });
  const config = effectiveConfig(plugin);
  return {
    name,
    ...(typeof spec.url === "string" ? { url: spec.url } : {}),
    ...(config === undefined ? {} : { config }),
    findings,
  };
}
