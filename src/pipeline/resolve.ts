import pMap from "p-map";
import { Failure } from "../model/failure.ts";
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

/** Everything that the spec asked for, resolved: charts, then images, then plugins, each by reference; the order is the lock's. */
export async function resolveAll(
  spec: BundleSpec,
  charts: readonly LoadedChart[],
  discovered: Discovered,
  ports: BuildPorts,
  options: BuildOptions,
): Promise<readonly Resolved[]> {
  const platforms = spec.platforms.map(readPlatform);
  const context = { platforms, allowMissing: options.allowMissing, signal: options.signal };
  const all = {
    concurrency: options.concurrency ?? 8,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const ofCharts = await pMap(charts, (chart) => resolveChart(chart), all);
  const images = imageRequests(spec, discovered);
  const ofImages = await pMap(
    images,
    async ({ request, only }) =>
      resolveImage(
        request,
        await ports.repository(request.reference),
        only === undefined ? context : { ...context, platforms: only },
      ),
    all,
  );
  const console = ofImages.find(({ item }) => item.name.endsWith("/console"));
  const more =
    spec.plugins.discover && console !== undefined
      ? await ports.discoverPlugins({ content: console.content, root: console.item.root })
      : [];
  const patterns = charts.flatMap(({ relocation }) => ociPatterns(relocation));
  const plugins = pluginRequests(spec, more, discovered, patterns);
  const ofPlugins = await pMap(
    plugins,
    async (request) => resolvePlugin(request, await ports.repository(request.reference), ports.examine, context),
    all,
  );
  return [...byReference(ofCharts), ...byReference(ofImages), ...byReference(ofPlugins)];
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
    requests.set(printReference(parsed), { request: { reference: parsed, role }, only });
  }
  return [...requests.values()];
}

/** What asked for an item, as long as a lock may say it: templates of others name files and values as they like. */
function asked(where: string): string {
  return sanitize(where, roleBound - 1);
}

/** The spec's list wins over what the console image says; plugins that manifests name come on top. */
function pluginRequests(
  spec: BundleSpec,
  found: readonly PluginSpec[],
  discovered: Discovered,
  patterns: readonly string[],
): readonly PluginRequest[] {
  const listed = new Map<string, PluginSpec>();
  for (const plugin of [...found, ...spec.plugins.list]) listed.set(plugin.name, plugin);
  const selected = selectPlugins([...listed.values()], spec.plugins);
  // Every reference that a console of this version can make answers: by its tag, by info.version, by info.name.
  const more = aliases(selected, { consoleVersion: spec.version, patterns });
  const builtIn = selected.map((plugin) => ({
    name: plugin.name,
    reference: parseReference(plugin.ref),
    role: "built-in",
    version: plugin.version,
    published: plugin.digest,
    gatewayMinVersion: plugin.gatewayMinVersion,
    aliases: more.get(plugin.name),
  }));
  const known = new Set(builtIn.map(({ reference }) => printReference(reference)));
  const others = discovered.plugins
    .map(({ reference, where }) => ({ reference: parseReference(reference), role: asked(where) }))
    .filter(({ reference }) => !known.has(printReference(reference)))
    .map(({ reference, role }) => ({ name: lastSegment(reference.repository), reference, role }));
  return [...builtIn, ...others];
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function readPlatform(text: string): Platform {
  const platform = parsePlatform(text);
  if (platform === undefined) throw new Failure("USAGE", { what: `platform ${text}` });
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
