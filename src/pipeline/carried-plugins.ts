import { pluginImage } from "../content/plugin-module.ts";
import type { Fetcher } from "../content/store.ts";
import { verified } from "../content/verified.ts";
import { Failure, isFailure } from "../model/failure.ts";
import { finding, type Finding } from "../model/finding.ts";
import type { LockItem } from "../model/lock.ts";
import { ociReference, parseReference } from "../model/reference.ts";
import { releaseEntry } from "../model/release.ts";
import type { Bundle } from "../content/open-bundle.ts";
import { readRelease } from "../stages/documents/read.ts";
import { checkPlugin, type GatewayTable, type PluginCheck } from "../stages/plugins/check.ts";
import { pluginLayout, type PluginLayout } from "../model/plugin-layout.ts";
import { pluginManifests } from "../stages/plugins/manifests.ts";
import type { ModuleStarter } from "../model/plugin-start.ts";
import { readModule } from "../stages/plugins/read-module.ts";
import { nearest } from "../std/nearest.ts";

export interface CarriedPlugin {
  readonly item: LockItem;
  /** What stands for `${version}` in a URL of the console: `info.version`, or the tag. */
  readonly version: string;
}

/**
 * The plugins of a bundle, or those of them that are named.
 * @throws Failure USAGE for a name that it does not carry
 */
export function carriedPlugins({ document }: Bundle, names: readonly string[] = []): readonly CarriedPlugin[] {
  const plugins = document.items.filter(({ kind }) => kind === "plugin");
  for (const name of names) {
    if (plugins.some((item) => item.name === name)) continue;
    const near = nearest(
      name,
      plugins.map((item) => item.name),
    );
    throw new Failure("USAGE", {
      what: name,
      ...(near === undefined ? { wrong: "plugin-unknown" } : { wrong: "plugin-near", wanted: near }),
    });
  }
  return plugins
    .filter(({ name }) => names.length === 0 || names.includes(name))
    .map((item) => ({ item, version: item.version ?? parseReference(item.reference).tag ?? "" }));
}

export async function layoutOf({ item }: CarriedPlugin, content: Fetcher, signal?: AbortSignal): Promise<PluginLayout> {
  return pluginLayout(await pluginImage(item.name, item.root, content, { side: "bundle", signal }));
}

/** Blobs are held against their digests here, so that damage is said to be the bundle's. */
function checkedContent(content: Fetcher): Fetcher {
  return { fetch: (blob, options) => verified(content.fetch(blob, options), blob, "bundle") };
}

export interface CarriedConfigs {
  /** What the WasmPlugins in the bundle will configure this plugin with, each once. */
  configsOf(item: LockItem): readonly string[];
  /** What is wrong with the manifests themselves. */
  readonly findings: readonly Finding[];
}

/** The configurations that travel with the bundle: the user's own WasmPlugin manifests. */
export async function carriedConfigs(bundle: Bundle): Promise<CarriedConfigs> {
  const configs = new Map<string, Set<string>>();
  const findings: Finding[] = [];
  for (const file of await manifestsOf(bundle)) {
    for (const manifest of pluginManifests((await bundle.readFile(file)).toString("utf8"), file)) {
      findings.push(...manifest.findings);
      const reference = ociReference(manifest.url ?? "");
      if (reference === undefined || manifest.config === undefined || manifest.config === "") continue;
      configs.set(reference, (configs.get(reference) ?? new Set()).add(manifest.config));
    }
  }
  return {
    findings,
    configsOf: ({ reference, aliases }) => [
      ...new Set([reference, ...aliases].flatMap((name) => [...(configs.get(ociReference(name) ?? "") ?? [])])),
    ],
  };
}

async function manifestsOf(bundle: Bundle): Promise<readonly string[]> {
  if (!bundle.entries.has(releaseEntry)) return [];
  return (await readRelease(bundle)).manifests;
}

export interface CheckedPlugin {
  readonly name: string;
  readonly version: string;
  readonly layout: string;
  readonly abi?: string | undefined;
  readonly memory?: number | undefined;
  readonly start: PluginCheck["start"];
  readonly findings: readonly Finding[];
}

/** Who starts modules, and what is known of the gateways that load them. */
export interface StartPorts {
  readonly gateways: GatewayTable;
  readonly starter: ModuleStarter;
}

export type CheckCarried = (plugin: CarriedPlugin, configs: readonly string[]) => Promise<CheckedPlugin>;

/** Checks a plugin as it lies in the bundle: would this release's gateway take it out, load it, and be content? */
export function checkCarried(
  contentOf: (item: LockItem) => Fetcher,
  gateway: string,
  { gateways, starter }: StartPorts,
  signal?: AbortSignal,
): CheckCarried {
  return async (plugin, configs) => {
    const content = checkedContent(contentOf(plugin.item));
    const { name, reference } = plugin.item;
    const facts = { name, version: plugin.version };
    const refused = (why: string, layout: string): CheckedPlugin => {
      const found = finding("error", "plugin.layout", { plugin: name, reference, why });
      return { ...facts, layout, start: "skipped", findings: [found] };
    };
    const layout = await layoutOf(plugin, content, signal);
    if (layout.shape === "unloadable") return refused(layout.why, layout.shape);
    let module: Uint8Array;
    try {
      module = await readModule(layout, content, { name, signal });
    } catch (error) {
      if (isFailure(error, "PLUGIN_UNUSABLE")) return refused(error.facts.why, layout.shape);
      throw error;
    }
    const checks: PluginCheck[] = [];
    // Without a configuration there is one start all the same.
    for (const config of configs.length === 0 ? [undefined] : configs)
      checks.push(await checkPlugin({ name, reference, module, gateway, config }, gateways, starter, { signal }));
    return { ...facts, layout: layout.shape, ...summary(checks) };
  };
}

/** Of several configurations, the one that a gateway likes least. */
function summary(checks: readonly PluginCheck[]): Pick<CheckedPlugin, "abi" | "memory" | "start" | "findings"> {
  const worst = checks.find(({ start }) => start === "refused") ?? checks.at(-1);
  const findings = new Map(checks.flatMap((check) => check.findings).map((each) => [JSON.stringify(each), each]));
  const { abi, memory, start = "skipped" } = worst ?? {};
  return { abi, memory, start, findings: [...findings.values()] };
}
