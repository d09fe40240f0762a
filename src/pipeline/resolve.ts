import { reportFindings, stopAtErrors } from "../model/event.ts";
import { finding, type Finding } from "../model/finding.ts";
import { gatewayRelease } from "../model/gateway.ts";
import type { LockItem } from "../model/lock.ts";
import { printReference, parseReference } from "../model/reference.ts";
import { ociPatterns } from "../model/relocation.ts";
import type { BundleSpec, PluginSpec } from "../model/spec.ts";
import { resolveChart } from "../stages/resolve/chart.ts";
import { resolveImage } from "../stages/resolve/image.ts";
import { resolvePlugin } from "../stages/resolve/plugin.ts";
import type { Resolved } from "../stages/resolve/ports.ts";
import type { BuildOptions, BuildPorts, LoadedChart } from "./build-ports.ts";
import type { Discovered } from "./discover.ts";
import { placeholder, standIn } from "./rehearsal.ts";
import {
  imageRequests,
  lastSegment,
  namedAsPlugins,
  pluginRequests,
  readPlatform,
  type Requested,
} from "./requests.ts";
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
  const named = namedAsPlugins(spec, discovered);
  const requests = imageRequests(spec, discovered, named);
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
  const plugins = pluginRequests(spec, more, named, {
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
    // Of the same reference as an image, with another digest: the stand-in of what the spec leaves out would collide with it.
    ...plugins.filter(({ reference }) => !images.some((image) => image.reference === reference)),
    ...(unlisted ? [standIn("plugin", mcpServer, `${placeholder.host}/plugins/${mcpServer}:0`)] : []),
  ];
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
