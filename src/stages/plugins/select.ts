import { Failure } from "../../model/failure.ts";
import type { PluginSelection, PluginSpec } from "../../model/spec.ts";
import { editDistance } from "../../std/nearest.ts";

/**
 * What AI routes, providers, consumers and MCP servers of the console create by themselves
 * (docs/facts/higress.md#plugins-that-the-console-creates).
 */
const aiGateway = [
  "ai-proxy",
  "model-router",
  "model-mapper",
  "ai-statistics",
  "key-auth",
  "mcp-server",
  "mcp-router",
] as const;

type Selection = Pick<PluginSelection, "preset" | "include" | "exclude">;

/**
 * The plugins that are carried: the preset, then `include` on top, then without `exclude`. Both take a plugin's name or a
 * category (`ai`, `auth`, …). The order is the list's.
 * @throws Failure CONFIG_INVALID that tells every name which nothing has, each with the names that are near to it
 */
export function selectPlugins(list: readonly PluginSpec[], selection: Selection): readonly PluginSpec[] {
  const unknown = unknownNames(list, selection);
  if (unknown.length > 0)
    throw new Failure("CONFIG_INVALID", { file: "plugins.include, plugins.exclude", problems: unknown.join("\n") });
  return list.filter((plugin) => isSelected(plugin, selection));
}

export function isSelected(plugin: PluginSpec, { preset, include, exclude }: Selection): boolean {
  return (inPreset(plugin, preset) || matches(plugin, include)) && !matches(plugin, exclude);
}

/** Names in the selection that are no plugin's and no category's. A preset takes what there is: older releases have less. */
function unknownNames(list: readonly PluginSpec[], selection: Selection): readonly string[] {
  const wanted = new Set([...selection.include, ...selection.exclude]);
  const known = new Set(list.flatMap(({ name, category }) => (category === undefined ? [name] : [name, category])));
  return [...wanted]
    .filter((name) => !known.has(name))
    .map((name) => {
      const others = near(name, known);
      return others === "" ? name : `${name} (${others}?)`;
    });
}

function inPreset({ name }: PluginSpec, preset: Selection["preset"]): boolean {
  return preset === "all" || (preset === "ai-gateway" && (aiGateway as readonly string[]).includes(name));
}

function matches({ name, category }: PluginSpec, names: readonly string[]): boolean {
  return names.includes(name) || (category !== undefined && names.includes(category));
}

/** At most three known names within two typing errors, or that hold the one that was written. */
function near(name: string, known: ReadonlySet<string>): string {
  const scored = [...known].map((other) => ({ other, distance: other.includes(name) ? 1 : editDistance(name, other) }));
  return scored
    .filter((each) => each.distance <= 2)
    .sort((a, b) => a.distance - b.distance || (a.other < b.other ? -1 : 1))
    .slice(0, 3)
    .map(({ other }) => other)
    .join(", ");
}
