import type { Sighting } from "../../model/symptom.ts";
import type { WasmPlugin } from "../../model/wasm-plugin.ts";
import type { GatewayState, Watch } from "./gateway.ts";
import { lineSubject, type LineSubject } from "../../model/log-subject.ts";

/** By these a log line is about this plugin: its full name, and where its module is. */
export function namesOf({ metadata, spec }: WasmPlugin, namespace: string): PluginNames {
  return { name: `${namespace}.${metadata.name}`, module: moduleOf(spec?.url ?? "") };
}

/** Without scheme, tag and digest; with its host, since another plugin may have the same path on another. */
const moduleOf = (url: string): string => url.replace(/^[a-z]{1,10}:\/\//, "").replace(/[:@][^/]{0,100}$/, "");

/** How lines of a log name a plugin. */
export interface PluginNames {
  /** NAMESPACE.NAME, as Envoy says it. */
  readonly name: string;
  /** As the agent says it; empty when it has none. */
  readonly module: string;
}

interface Said {
  /** By the plugin that it is said of. */
  readonly own: ReadonlyMap<string, string>;
  /** Of nobody, and of a new kind. */
  readonly common?: string | undefined;
}

/** What the log says since `before` that it did not say then: of each plugin, and of nobody. */
export function said(before: GatewayState, now: GatewayState, { read, all }: Reading): Said {
  const by = new Map<string, Sighting[]>();
  for (const { sighting, whose } of newsIn(before, now, read)) {
    const name = whose === undefined ? nobody : all.find((each) => isAbout(each, whose))?.name;
    if (name !== undefined) by.set(name, [...(by.get(name) ?? []), sighting]);
  }
  const [only, ...others] = all;
  // Of one alone everything is told, by name or without.
  if (only !== undefined && others.length === 0)
    return { own: causes(new Map([[only.name, [...by.values()].flat()]])) };
  const own = causes(by);
  const common = own.get(nobody);
  own.delete(nobody);
  return { own, common };
}

interface News {
  readonly sighting: Sighting;
  readonly whose: LineSubject | undefined;
}

/** Trouble that was there before goes on being said; without a name it is news only when it is of a new kind. */
function newsIn(before: GatewayState, now: GatewayState, read: Watch["read"]): readonly News[] {
  const old = new Set([...before.lines].flatMap((line) => read(line)?.symptom.id ?? []));
  const lines = [...now.lines].filter((line) => !before.lines.has(line));
  return lines.flatMap((line, at) => {
    const sighting = read(line);
    if (sighting?.symptom.severity !== "error") return [];
    const whose = lineSubject(lines, at);
    return whose === undefined && old.has(sighting.symptom.id) ? [] : [{ sighting, whose }];
  });
}

const nobody = "";

interface Reading {
  readonly read: Watch["read"];
  readonly all: readonly PluginNames[];
}

/** One failure is many lines: the cause among them, and what follows from it. */
function causes(by: ReadonlyMap<string, readonly Sighting[]>): Map<string, string> {
  return new Map(
    [...by].flatMap(([name, sightings]) => {
      const [cause] = [...sightings].sort((a, b) => a.symptom.rank - b.symptom.rank);
      return cause === undefined ? [] : [[name, `${cause.symptom.id}: ${cause.line}`] as const];
    }),
  );
}

function isAbout({ name, module }: PluginNames, { by, text }: LineSubject): boolean {
  // The agent names the plugin itself where its pull secret is missing.
  return text === name || (by === "url" && module !== "" && moduleOf(text) === module);
}
