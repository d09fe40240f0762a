import { reportFindings, stopAtErrors, type Report } from "../model/event.ts";
import { Failure } from "../model/failure.ts";
import { finding, type Finding } from "../model/finding.ts";
import { gatewayRelease } from "../model/gateway.ts";
import { builtInRole, type LockItem } from "../model/lock.ts";
import { roleBound } from "../model/names.ts";
import { printReference, parseReference } from "../model/reference.ts";
import { ociPatterns } from "../model/relocation.ts";
import { parsePlatform, type Platform } from "../model/platform.ts";
import { sanitize } from "../model/sanitize.ts";
import type { BundleSpec, PluginSpec } from "../model/spec.ts";
import { resolveChart } from "../stages/resolve/chart.ts";
import { resolveImage, type ImageRequest } from "../stages/resolve/image.ts";
import { resolvePlugin, type PluginRequest } from "../stages/resolve/plugin.ts";
import type { Resolved } from "../stages/resolve/ports.ts";
import { selectPlugins } from "../stages/plugins/select.ts";
import { aliases } from "../stages/plugins/urls.ts";
import type { BuildOptions, BuildPorts, LoadedChart } from "./build-ports.ts";
import type { Discovered } from "./discover.ts";
import { placeholder, standIn } from "./rehearsal.ts";
import { Resolving } from "./resolve-each.ts";

export interface ResolveOptions extends BuildOptions {
  /** What would not hold inside, of charts that name these items; told already. Asked once, before any layer is read. */
  readonly refusedNames: (items: readonly LockItem[]) => Promise<readonly Finding[]>;
}

/** Everything that the spec asked for, resolved: charts, then images, then plugins, each by reference; the order is the lock's. */
export async function resolveAll(
  spec: BundleSpec,
  charts: readonly LoadedChart[],
  discovered: Discovered,
  ports: BuildPorts,
  options: ResolveOptions,
): Promise<readonly Resolved[]> {
  const platforms = spec.platforms.map(readPlatform);
  const context = { platforms, allowMissing: options.allowMissing };
  const ofCharts = await Promise.all(charts.map((chart) => resolveChart(chart)));
  const resolving = new Resolving(options, discovered.unreadable);
  const requests = imageRequests(spec, discovered);
  const ofImages = await resolving.each(
    requests,
    ({ request }) => request,
    async ({ request, only = platforms }, signal) =>
      resolveImage(request, await ports.repository(request.reference), { ...context, platforms: only, signal }),
    { documentsOnly: true },
  );
  // Up to here only manifests were read, and neither a layer of the console nor a plugin.
  const misnamed = await options.refusedNames(standIns({ spec, discovered, requests, ofCharts, ofImages }));
  if (misnamed.length > 0) {
    resolving.stop();
    stopAtErrors(misnamed, "source");
  }
  // Without the image of the console nobody knows its plugins.
  if (spec.plugins.discover && consoleOf(discovered, ofImages) === undefined) resolving.stop();
  const more = spec.plugins.discover ? await consolePlugins(discovered, ofImages, charts, ports, options) : [];
  const patterns = charts.flatMap(({ relocation }) => ociPatterns(relocation));
  const plugins = pluginRequests(spec, more, discovered, {
    patterns,
    consoleVersion: gatewayRelease(charts, spec.version),
    report: options.report,
  });
  const ofPlugins = await resolving.each(
    plugins,
    (request) => request,
    async (request, signal) =>
      resolvePlugin(request, await ports.repository(request.reference), ports.examine, { ...context, signal }),
  );
  resolving.stop();
  return [...byReference(ofCharts), ...byReference(ofImages), ...byReference(ofPlugins)];
}

interface KnownNames {
  readonly spec: BundleSpec;
  readonly discovered: Discovered;
  readonly requests: readonly Requested[];
  readonly ofCharts: readonly Resolved[];
  readonly ofImages: readonly Resolved[];
}

/** Every item that is known by its name, whether its content was found or not. */
function standIns({ spec, discovered, requests, ofCharts, ofImages }: KnownNames): readonly LockItem[] {
  const resolved = new Map(ofImages.map(({ item }) => [item.reference, item]));
  const images = requests.map(({ request: { reference } }) => {
    const text = printReference(reference);
    return resolved.get(text) ?? standIn("image", lastSegment(reference.repository), text);
  });
  const { list, mcpServer } = spec.plugins;
  const plugins = [
    ...list.map(({ name, ref }) => standIn("plugin", name, printReference(parseReference(ref)))),
    ...discovered.plugins.map(({ reference }) => {
      const parsed = parseReference(reference);
      return standIn("plugin", lastSegment(parsed.repository), printReference(parsed));
    }),
  ];
  // Only the console may know where it is; a map names it by its name.
  const unlisted = mcpServer !== undefined && !plugins.some(({ name }) => name === mcpServer);
  return [
    ...ofCharts.map(({ item }) => item),
    ...images,
    ...plugins,
    ...(unlisted ? [standIn("plugin", mcpServer, `${placeholder.host}/plugins/${mcpServer}:0`)] : []),
  ];
}

interface Requested {
  readonly request: ImageRequest;
  readonly only?: readonly Platform[] | undefined;
}

function imageRequests(spec: BundleSpec, discovered: Discovered): readonly Requested[] {
  const requests = new Map<string, Requested>();
  for (const { reference, where, path } of discovered.images) {
    const parsed = parseReference(reference);
    requests.set(printReference(parsed), { request: { reference: parsed, role: asked(`${where} ${path}`) } });
  }
  for (const image of spec.images) {
    const wanted = typeof image === "string" ? { ref: image } : image;
    const parsed = parseReference(wanted.ref);
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

/** The plugins that the console of this release can name: in the image of the container that the chart's map says is it. */
async function consolePlugins(
  discovered: Discovered,
  images: readonly Resolved[],
  charts: readonly LoadedChart[],
  ports: BuildPorts,
  { report }: BuildOptions,
): Promise<readonly PluginSpec[]> {
  const image = consoleOf(discovered, images);
  if (image !== undefined) {
    report({ type: "step", phase: "resolve", name: image.item.reference, done: 0, items: 1 });
    return ports.discoverPlugins({ content: image.content, root: image.item.root });
  }
  const named = charts.map(({ name, version }) => `${name} ${version}`).join(", ");
  reportFindings([finding("warning", "plugin.console-unknown", { charts: named })], report);
  return [];
}

function consoleOf({ console }: Discovered, images: readonly Resolved[]): Resolved | undefined {
  const wanted = console === undefined ? undefined : printReference(parseReference(console));
  return images.find(({ item }) => item.reference === wanted);
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

/** What the console and the spec's list name, as far as the spec selects it; plugins that manifests name come on top. */
function pluginRequests(
  spec: BundleSpec,
  found: readonly PluginSpec[],
  discovered: Discovered,
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
  const others = discovered.plugins
    .map(({ reference, where }) => ({ reference: parseReference(reference), role: asked(where) }))
    .filter(({ reference }) => !known.has(printReference(reference)))
    .map(({ reference, role }) => ({ name: lastSegment(reference.repository), reference, role }));
  return [...builtIn, ...others];
}

function aboutOf({ category, phase, priority }: PluginSpec): PluginRequest["about"] {
  return {
    ...(category === undefined ? {} : { category }),
    ...(phase === undefined ? {} : { phase }),
    ...(priority === undefined ? {} : { priority }),
  };
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function readPlatform(text: string): Platform {
  const platform = parsePlatform(text);
  if (platform === undefined) throw new Failure("USAGE", { what: text, wrong: "form", wanted: "linux/amd64" });
  return platform;
}

function byReference(resolved: readonly Resolved[]): readonly Resolved[] {
  return [...resolved].sort((a, b) =>
    a.item.reference < b.item.reference
      ? -1
      : a.item.reference > b.item.reference
        ? 1
        : a.item.name < b.item.name
          ? -1
          : 1,
  );
}
