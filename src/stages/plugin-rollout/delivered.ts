import type { ExecQuery, ExecResult } from "../../model/kubernetes.ts";

/** A plugin as one gateway pod has it. */
export interface Delivered {
  /** False for what the agent sends in its place when it cannot fetch the module (Istio 1.27: an RBAC filter). */
  readonly wasm: boolean;
  /** Changes whenever Envoy takes another configuration for it. */
  readonly updated: string;
  /** Whether Envoy counts a VM of it; left out where it counts none of any plugin. */
  readonly running?: boolean;
}

/** What a pod has by extension discovery; `undefined` when it could not be asked. */
export type DeliveredByName = ReadonlyMap<string, Delivered>;

/**
 * The agent's own command for Envoy's admin port, which listens inside the pod only. The same for every version: the
 * image always has the agent, and need not have curl.
 */
const asking = (path: string): readonly string[] => ["pilot-agent", "request", "GET", path];
const dump = asking("config_dump?resource=ecds_filters");
/** What a dump lists may have been refused; a VM is counted only of what was loaded (both seen in 1.36.4 and 1.40.0). */
const counters = asking("stats?filter=vm_reload");

export async function askDelivered(
  pod: Pick<ExecQuery, "namespace" | "pod" | "container" | "signal">,
  exec: (query: ExecQuery) => Promise<ExecResult | undefined>,
): Promise<DeliveredByName | undefined> {
  const result = await exec({ ...pod, command: dump });
  if (result === undefined) return undefined;
  // Asked second: what came between the two is counted and not listed. The other way round it would be listed and seem
  // refused.
  const stats = await exec({ ...pod, command: counters });
  if (result.exitCode === 0) return deliveredIn(result.stdout, runningIn(stats?.exitCode === 0 ? stats.stdout : ""));
  // Envoy knows the kind only from the first plugin on.
  return /not found in config dump|status code 404/.test(result.stderr) ? new Map() : undefined;
}

/** Reads `config_dump?resource=ecds_filters` (EcdsConfigDump of envoy.admin.v3); `undefined` for anything else. */
function deliveredIn(text: string, running: ReadonlySet<string>): DeliveredByName | undefined {
  try {
    const { configs = [] } = JSON.parse(text) as { readonly configs?: readonly Entry[] };
    return new Map(
      configs.flatMap(({ ecds_filter: filter, last_updated: updated = "", version_info: version = "" }) => {
        if (filter?.name === undefined) return [];
        const wasm = filter.typed_config?.["@type"]?.endsWith(".wasm.v3.Wasm") === true;
        const name = pluginIn(filter.name);
        const counted = running.size === 0 ? {} : { running: running.has(name) };
        return [[name, { wasm, updated: `${version} ${updated}`, ...counted }] as const];
      }),
    );
  } catch {
    return undefined;
  }
}

/** Plugins that Envoy has a VM of, by what it counts of each: `wasm.NAMESPACE.NAME.vm_reload: 0`. */
const runningIn = (stats: string): ReadonlySet<string> =>
  new Set([...stats.matchAll(/^wasm\.(\S{1,320})\.vm_reload: \d{1,20}$/gm)].flatMap(([, name]) => name ?? []));

interface Entry {
  readonly version_info?: string;
  readonly last_updated?: string;
  readonly ecds_filter?: { readonly name?: string; readonly typed_config?: { readonly "@type"?: string } };
}

/** `NAMESPACE.NAME`, with what Istio puts before it or without. */
const pluginIn = (resource: string): string => resource.slice(resource.lastIndexOf("/") + 1);

/**
 * How far a plugin has come: `changed` when every pod that could be asked took a configuration for it since `before`,
 * `same` when all have it as they had it then, `stand-in` when a pod has something else in its place, `idle` when one
 * lists it and runs nothing of it, `unseen` when no pod could be asked.
 */
export type Delivery = "unseen" | "waiting" | "same" | "changed" | "stand-in" | "idle";

type ByPod = ReadonlyMap<string, DeliveredByName | undefined>;

export function deliveryOf(plugin: string, before: ByPod, now: ByPod): Delivery {
  const asked = [...now].flatMap(([pod, has]) => (has === undefined ? [] : [{ pod, entry: has.get(plugin) }]));
  // A pod that could be asked before and cannot now is in trouble, not out of sight, whatever the others have.
  const mute = [...now].some(([pod, has]) => has === undefined && before.get(pod) !== undefined);
  if (asked.length === 0) return [...before.values()].some((has) => has !== undefined) ? "waiting" : "unseen";
  const news = asked.map(({ pod, entry }) => entry?.updated !== before.get(pod)?.get(plugin)?.updated);
  if (asked.some(({ entry }, at) => entry?.wasm === false && news[at] === true)) return "stand-in";
  if (asked.some(({ entry }, at) => entry?.running === false && news[at] === true)) return "idle";
  if (mute || asked.some(({ entry }) => entry?.wasm !== true)) return "waiting";
  return news.every(Boolean) ? "changed" : news.some(Boolean) ? "waiting" : "same";
}
