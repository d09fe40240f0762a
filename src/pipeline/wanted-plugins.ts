import type { LockItem } from "../model/lock.ts";
import { finding, type Finding } from "../model/finding.ts";
import { fetchHost, isFetchedInside, type Inside } from "../model/inside.ts";
import { ociReference, parseReference, printReference, registriesOf, withoutOci } from "../model/reference.ts";
import type { Site } from "../model/site.ts";
import { isWasmPlugin, type WasmPlugin } from "../model/wasm-plugin.ts";
import { builtInPlugin } from "../stages/plugin-rollout/document.ts";
import { isMap } from "../model/rendered-object.ts";
import { isFormerMcpServer } from "../stages/plugins/urls.ts";
import { rewriteWasmPlugins } from "../stages/relocate/wasm-plugin.ts";
import { loadTyped } from "../std/yaml.ts";
import type { InstallPlan } from "./install-plan.ts";

export interface WantedPlugin {
  readonly plugin: WasmPlugin;
  /** What the bundle carries of it; the user's own may come from a server of this site. */
  readonly item: LockItem | undefined;
}

export interface Wanted {
  readonly plugins: readonly WantedPlugin[];
  readonly findings: readonly Finding[];
}

/** Where the plugin behind an original URL is on this site; `undefined` for one that was not carried. */
export function pluginTarget(plan: InstallPlan): (url: string) => { readonly url: string } | undefined {
  const places = new Map<string, string>();
  for (const { item, targets } of plan.mapped) {
    const [first] = targets;
    if (item.kind !== "plugin" || first === undefined) continue;
    for (const name of [item.reference, ...item.aliases])
      places.set(printReference(parseReference(name)), `oci://${printReference(first)}`);
  }
  return (url) => {
    const reference = ociReference(url);
    const found = reference === undefined ? undefined : places.get(reference);
    const place = found ?? (isFormerMcpServer(url) ? plan.target.plugins.get("mcp-server") : undefined);
    return place === undefined ? undefined : { url: place };
  };
}

/** The world of this site: what was pushed, the plugin server, and what the site file declares. */
export function insideOf({ prefix, mapped }: InstallPlan, { plugins, inside, registry, cluster }: Site): Inside {
  const server = plugins.url === undefined ? undefined : fetchHost(plugins.url);
  return {
    prefixes: [prefix],
    hosts: [registry.host, ...(server === undefined ? [] : [server]), ...inside],
    namespaces: [cluster.namespace],
    registries: registriesOf(mapped.flatMap(({ item }) => (item.kind === "chart" ? [] : [item.reference]))),
  };
}

/** Does a gateway get at this URL from here? A path template can put plugins outside of the prefix. */
export function isInside(url: string, plan: InstallPlan, site: Site): boolean {
  return plan.carried.has(withoutOci(url)) || isFetchedInside(url, insideOf(plan, site));
}

/**
 * What the site wants switched on: built-ins by name, then the user's own manifests with their URLs moved. One that no
 * gateway could fetch from here is a finding, since it would keep every new gateway pod waiting.
 */
export function wantedPlugins(plan: InstallPlan, site: Site, userPlugins: readonly string[]): Wanted {
  const findings: Finding[] = [];
  const builtIns = site.plugins.enable.flatMap((name) => {
    const wanted = builtIn(name, plan, site);
    if (wanted === undefined)
      findings.push(finding("error", "plugin.not-carried", { plugin: name, reference: site.plugins.mode }));
    return wanted ?? [];
  });
  const own = userPlugins.flatMap((text) => {
    const rewritten = rewriteWasmPlugins(text, {
      targetOf: pluginTarget(plan),
      pullSecret: plan.target.pullSecret,
    });
    findings.push(...rewritten.findings);
    return loadTyped(rewritten.text)
      .flatMap(opened)
      .map((plugin) => ownPlugin(plugin, plan));
  });
  const off = new Set(site.plugins.disable);
  const plugins = [...builtIns, ...own].filter(({ plugin }) => !off.has(plugin.metadata.name));
  return { plugins, findings: [...findings, ...plugins.flatMap(({ plugin }) => unreached(plugin, plan, site))] };
}

function builtIn(name: string, plan: InstallPlan, site: Site): WantedPlugin | undefined {
  const item = plan.mapped.find((mapped) => mapped.item.kind === "plugin" && mapped.item.name === name)?.item;
  const url = plan.target.plugins.get(name);
  if (item === undefined || url === undefined) return undefined;
  const { pullSecret, namespace, pluginServer } = plan.target;
  const version = item.version ?? "1.0.0";
  const served = site.plugins.mode === "http" && pluginServer !== undefined;
  const at = served
    ? { url: `${pluginServer.replace(/\/+$/, "")}/plugins/${name}/${version}/plugin.wasm` }
    : { url, pullSecret };
  const { category, phase, priority } = item;
  return { item, plugin: builtInPlugin({ name, version, namespace, category, phase, priority, ...at }) };
}

function opened(document: unknown): readonly WasmPlugin[] {
  if (!isMap(document)) return [];
  const { items } = document;
  const all = Array.isArray(items) ? items.filter(isMap) : [document];
  return all.filter(isWasmPlugin) as unknown as readonly WasmPlugin[];
}

/**
 * Only plugins in the controller's own namespace reach the gateway; elsewhere they are ignored in silence. What else
 * stands beside them, such as anchors for `<<`, is no part of the object, and the API server would refuse it.
 */
function ownPlugin({ apiVersion, kind, metadata, spec }: WasmPlugin, { mapped, target }: InstallPlan): WantedPlugin {
  const at = { ...metadata, namespace: target.namespace };
  const plugin = { apiVersion, kind, metadata: at, ...(spec === undefined ? {} : { spec }) };
  const carried = mapped.find(({ targets }) =>
    targets.some((at) => printReference(at) === withoutOci(spec?.url ?? "")),
  );
  return { plugin, item: carried?.item };
}

function unreached({ metadata, spec }: WasmPlugin, plan: InstallPlan, site: Site): readonly Finding[] {
  const url = spec?.url;
  if (url === undefined || isInside(url, plan, site)) return [];
  return [finding("error", "plugin.not-carried", { plugin: metadata.name, reference: url })];
}
