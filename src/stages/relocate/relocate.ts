import type { RelocationMap, RelocationTarget, Setting } from "../../model/relocation.ts";
import { isValues, mergeValues, nest, splitPath, type Values } from "../../model/values.ts";
import { unreachable } from "../../std/unreachable.ts";

export interface RelocationOptions {
  /** How gateway and console get plugins: from the registry, from a file server, or not from here. */
  readonly pluginMode: "oci" | "http" | "none";
}

/** The Helm values that move a chart to `target`. They go last, so that they win over everything. */
export function relocationValues(map: RelocationMap, target: RelocationTarget, options: RelocationOptions): Values {
  const settings = [
    ...map.images,
    ...map.offline,
    ...(target.pullSecret === undefined ? [] : map.pullSecrets),
    ...pluginSettings(map, options.pluginMode),
  ];
  return settings.reduce<Values>((values, { path, value }) => {
    const filled = fill(value, target);
    return filled === undefined ? values : mergeValues(values, nest(splitPath(path), filled));
  }, {});
}

function pluginSettings(map: RelocationMap, mode: RelocationOptions["pluginMode"]): readonly Setting[] {
  switch (mode) {
    case "oci":
    case "http":
      return map.plugins[mode];
    case "none":
      return [];
    default:
      return unreachable(mode);
  }
}

/** `${name}` and `${version}` belong to the console: a placeholder of ours has no `$` before it. */
const placeholder = /(?<!\$)\{(prefix|registry|project|namespace|pullSecret|pluginServer|plugin:[\w.+-]+)\}/g;

/** `undefined` when the value needs something that this site does not have, such as a plugin that was not carried. */
function fill(value: unknown, target: RelocationTarget): unknown {
  if (typeof value === "string") return fillText(value, target);
  if (Array.isArray(value)) return value.map((entry) => fill(entry, target)).filter((entry) => entry !== undefined);
  if (!isValues(value)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, fill(entry, target)] as const);
  return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
}

/** `undefined` when the text needs something that this site does not have. */
export function fillText(text: string, target: RelocationTarget): string | undefined {
  const names = [...text.matchAll(placeholder)].map(([, name = ""]) => name);
  if (names.some((name) => valueOf(name, target) === undefined)) return undefined;
  return text.replaceAll(placeholder, (_, name: string) => valueOf(name, target) ?? "");
}

function valueOf(name: string, target: RelocationTarget): string | undefined {
  if (name.startsWith("plugin:")) return target.plugins.get(name.slice("plugin:".length));
  const { prefix, registry, project, namespace, pullSecret, pluginServer } = target;
  return new Map(Object.entries({ prefix, registry, project, namespace, pullSecret, pluginServer })).get(name);
}
