import type { RelocationMap, Setting } from "../../model/relocation.ts";
import { nearest } from "../../std/nearest.ts";
import type { Problem } from "./config-problems.ts";

const known = ["prefix", "registry", "project", "namespace", "pullSecret", "pluginServer"] as const;

/** A placeholder that nothing fills in would reach the chart as it is, and be found on the far side only. */
export function placeholderProblems(map: RelocationMap): readonly Problem[] {
  const { images, pullSecrets, offline, plugins } = map;
  return [
    ...inSettings(images, ["images"]),
    ...inSettings(pullSecrets, ["pullSecrets"]),
    ...inSettings(offline, ["offline"]),
    ...inSettings(plugins.oci, ["plugins", "oci"]),
    ...inSettings(plugins.http, ["plugins", "http"]),
  ];
}

function inSettings(settings: readonly Setting[], path: readonly PropertyKey[]): readonly Problem[] {
  return settings.flatMap(({ value }, at) => inValue(value, [...path, at, "value"]));
}

function inValue(value: unknown, path: readonly PropertyKey[]): readonly Problem[] {
  if (typeof value === "string") return inText(value).map((what) => ({ path, what }));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => inValue(inner, [...path, key]));
}

function inText(text: string): readonly string[] {
  return [...text.matchAll(/(?<!\$)\{([^{}]*)\}/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !name.startsWith("plugin:") && !(known as readonly string[]).includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return `unknown placeholder {${name}}${near === undefined ? "" : `; did you mean {${near}}?`}`;
    });
}
