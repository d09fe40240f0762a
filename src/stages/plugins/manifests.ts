import { Failure } from "../../model/failure.ts";
import type { Finding } from "../../model/finding.ts";
import { sanitize } from "../../model/sanitize.ts";
import { isMap, mapAt, textAt, type RenderedObject } from "../../model/rendered-object.ts";
import { isWasmPlugin, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { unknownFields } from "../../model/wasm-plugin-fields.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";
import { effectiveConfig } from "./effective-config.ts";

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
