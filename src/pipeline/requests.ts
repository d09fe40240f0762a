import { reportFindings, type Report } from "../model/event.ts";
import { Failure } from "../model/failure.ts";
import { finding, type Finding } from "../model/finding.ts";
import { builtInRole } from "../model/lock.ts";
import { roleBound } from "../model/names.ts";
import { parsePlatform, type Platform } from "../model/platform.ts";
import { printReference, parseReference, type Reference } from "../model/reference.ts";
import { sanitize } from "../model/sanitize.ts";
import type { BundleSpec, PluginSpec } from "../model/spec.ts";
import type { ImageRequest } from "../stages/resolve/image.ts";
import type { PluginRequest } from "../stages/resolve/plugin.ts";
import { isSelected, selectPlugins } from "../stages/plugins/select.ts";
import { aliases } from "../stages/plugins/urls.ts";
import type { Discovered } from "./discover.ts";

export interface Requested {
  readonly request: ImageRequest;
  readonly only?: readonly Platform[] | undefined;
}

interface NamedPlugin {
  readonly name: string;
  readonly reference: Reference;
  readonly role: string;
}

/**
 * What must be carried as a plugin whatever the console says: what manifests name, and what stands under `images:` and is
 * a plugin of the spec's list. Asked for twice, it is carried once; as an image it could not be read.
 */
export function namedAsPlugins(
  { images, plugins }: BundleSpec,
  discovered: Discovered,
): ReadonlyMap<string, NamedPlugin> {
  const named = new Map<string, NamedPlugin>();
  const add = (plugin: NamedPlugin): void => {
    const key = printReference(plugin.reference);
    if (!named.has(key)) named.set(key, plugin);
  };
  for (const { reference: text, where } of discovered.plugins) {
    const reference = parseReference(text);
    add({ name: lastSegment(reference.repository), reference, role: asked(where) });
  }
  const ofImages = new Set(images.map((image) => normal(typeof image === "string" ? image : image.ref)));
  for (const plugin of plugins.list)
    if (ofImages.has(normal(plugin.ref)) && isSelected(plugin, plugins))
      add({ name: plugin.name, reference: parseReference(plugin.ref), role: "spec" });
  return named;
}

export function imageRequests(
  spec: BundleSpec,
  discovered: Discovered,
  plugins: ReadonlyMap<string, unknown>,
): readonly Requested[] {
  const requests = new Map<string, Requested>();
  for (const { reference, where, path } of discovered.images) {
    const parsed = parseReference(reference);
    requests.set(printReference(parsed), { request: { reference: parsed, role: asked(`${where} ${path}`) } });
  }
  for (const image of spec.images) {
    const wanted = typeof image === "string" ? { ref: image } : image;
    const parsed = parseReference(wanted.ref);
    if (plugins.has(printReference(parsed))) continue;
    const only = "platforms" in wanted ? wanted.platforms?.map(readPlatform) : undefined;
    const role = "role" in wanted ? (wanted.role ?? "spec") : "spec";
    // Beside a tag that a chart names, a digest says what that tag is to be: nobody would ask for the two together.
    const tagged = requests.get(printReference({ ...parsed, digest: undefined }));
    if (tagged !== undefined && parsed.tag !== undefined && parsed.digest !== undefined) {
      const { reference } = tagged.request;
      requests.set(printReference(reference), { request: { ...tagged.request, pinned: parsed.digest }, only });
      continue;
    }
    requests.set(printReference(parsed), { request: { reference: parsed, role }, only });
  }
  return [...requests.values()];
}

/** What asked for an item, as long as a lock may say it: templates of others name files and values as they like. */
function asked(where: string): string {
  return sanitize(where, roleBound - 1);
}

/**
 * What the console image names wins: those are the URLs that users will click. The spec's list pins digests and adds, and
 * where it names another version, that is said.
 */
function listed(spec: BundleSpec, found: readonly PluginSpec[], report: Report): readonly PluginSpec[] {
  const known = new Map(found.map((plugin) => [plugin.name, plugin]));
  const differing: Finding[] = [];
  for (const plugin of spec.plugins.list) {
    const ofConsole = known.get(plugin.name);
    const same = ofConsole === undefined || normal(ofConsole.ref) === normal(plugin.ref);
    if (same) known.set(plugin.name, { ...plugin, ...ofConsole });
    else {
      const facts = { plugin: plugin.name, listed: plugin.ref, console: ofConsole.ref };
      differing.push(finding("warning", "plugin.list-differs", facts));
    }
  }
  reportFindings(differing, report);
  return [...known.values()];
}

function normal(ref: string): string {
  return printReference(parseReference(ref));
}

interface PluginContext {
  readonly patterns: readonly string[];
  readonly consoleVersion: string;
  readonly report: Report;
}

/** What the console and the spec's list name, as far as the spec selects it; `named` comes on top. */
export function pluginRequests(
  spec: BundleSpec,
  found: readonly PluginSpec[],
  named: ReadonlyMap<string, NamedPlugin>,
  { patterns, consoleVersion, report }: PluginContext,
): readonly PluginRequest[] {
  const selected = selectPlugins(listed(spec, found, report), spec.plugins);
  // Every reference that a console of this version can make answers: by its tag, by info.version, by info.name.
  const more = aliases(selected, { consoleVersion, patterns });
  const builtIn = selected.map((plugin) => ({
    name: plugin.name,
    reference: parseReference(plugin.ref),
    role: builtInRole,
    version: plugin.version,
    published: plugin.digest,
    gatewayMinVersion: plugin.gatewayMinVersion,
    aliases: more.get(plugin.name),
    about: aboutOf(plugin),
  }));
  const known = new Set(builtIn.map(({ reference }) => printReference(reference)));
  return [...builtIn, ...[...named].flatMap(([key, plugin]) => (known.has(key) ? [] : [plugin]))];
}

function aboutOf({ category, phase, priority }: PluginSpec): PluginRequest["about"] {
  return {
    ...(category === undefined ? {} : { category }),
    ...(phase === undefined ? {} : { phase }),
    ...(priority === undefined ? {} : { priority }),
  };
}

export function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function readPlatform(text: string): Platform {
  const platform = parsePlatform(text);
  if (platform === undefined) throw new Failure("USAGE", { what: text, wrong: "form", wanted: "linux/amd64" });
  return platform;
}
