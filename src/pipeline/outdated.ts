import type { Report } from "../model/event.ts";
import { finding, type Finding } from "../model/finding.ts";
import { isFailure } from "../model/failure.ts";
import type { Lock } from "../model/lock.ts";
import { parseReference, printReference } from "../model/reference.ts";
import type { BundleSpec, ChartSpec } from "../model/spec.ts";
import { newestAfter } from "../model/version-range.ts";
import { containerImage } from "../stages/discover/discover.ts";
import type { BuildPorts } from "./build-ports.ts";
import { Resolving } from "./resolve-each.ts";

export interface OutdatedPorts extends Pick<BuildPorts, "loadChart" | "render" | "repository" | "discoverPlugins"> {
  /** What a chart's source has; empty where it is one file. */
  chartVersions(chart: ChartSpec): Promise<readonly string[]>;
}

export interface OutdatedOptions {
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/**
 * What a build of today would bring and the last one did not: newer charts, tags that were moved under us, and plugins
 * that the console of a newer chart names. Without a lock, only what the spec pins can have moved. A source that cannot be
 * asked is told as such (`source.unresolved`), and the others are asked all the same.
 */
export async function outdated(
  spec: BundleSpec,
  lock: Lock | undefined,
  ports: OutdatedPorts,
  options: OutdatedOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const chart of spec.charts) {
    try {
      await newerChart(chart, pluginsOf(spec, lock), { spec, ports, options }, findings);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isFailure(error)) throw error;
      const { code: why, facts: about } = error;
      const reference = `${chart.name} ${chart.version}`;
      findings.push(finding("error", "source.unresolved", { reference, asked: chart.from, why, about }));
    }
  }
  return [...findings, ...(await movedTags(spec, lock, ports, options))];
}

/** What is found out before something cannot be asked stays found. */
async function newerChart(
  chart: ChartSpec,
  carried: ReturnType<typeof pluginsOf>,
  looking: Looking,
  findings: Finding[],
): Promise<void> {
  const newest = newestAfter(chart.version, await looking.ports.chartVersions(chart));
  if (newest === undefined) return;
  const { name, version } = chart;
  findings.push(finding("warning", "outdated.chart", { chart: `${name} ${version}`, newest }));
  findings.push(...(await newPlugins({ ...chart, version: newest }, carried, looking)));
}

/** By name, the reference that is carried; `undefined` where only a lock could say it, and there is none. */
function pluginsOf({ plugins }: BundleSpec, lock: Lock | undefined): ReadonlyMap<string, string> | undefined {
  if (lock === undefined)
    return plugins.discover ? undefined : new Map(plugins.list.map(({ name, ref }) => [name, normal(ref)]));
  const items = lock.items.filter(({ kind }) => kind === "plugin");
  return new Map(items.map(({ name, reference }) => [name, reference]));
}

interface Looking {
  readonly spec: BundleSpec;
  readonly ports: OutdatedPorts;
  readonly options: OutdatedOptions;
}

async function newPlugins(
  chart: ChartSpec,
  carried: ReadonlyMap<string, string> | undefined,
  { spec, ports, options: { signal } }: Looking,
): Promise<readonly Finding[]> {
  if (carried === undefined || carried.size === 0) return [];
  const loaded = await ports.loadChart(chart, { signal });
  const { console } = loaded.relocation;
  if (console === undefined) return [];
  const layers = [...loaded.valuesFiles, loaded.values];
  const plain = await ports.render({ chart: loaded, kubeVersion: spec.kubeVersion, values: layers, signal });
  const image = containerImage(plain, console);
  if (image === undefined) return [];
  const reference = parseReference(image);
  const content = await ports.repository(reference);
  const { descriptor } = await content.resolve(reference.digest ?? reference.tag ?? "latest", signal);
  const found = await ports.discoverPlugins({ content, root: descriptor });
  return found
    .filter(({ name }) => !spec.plugins.exclude.includes(name))
    .filter(({ name, ref }) => carried.get(name) !== normal(ref))
    .map(({ name, ref }) =>
      finding("warning", "outdated.plugin", {
        plugin: name,
        carried: carried.get(name) ?? "-",
        console: normal(ref),
        chart: `${loaded.name} ${loaded.version}`,
      }),
    );
}

interface Pinned {
  readonly reference: string;
  readonly digest: string;
  /** What asked for it. */
  readonly role: string;
}

/** Where a tag points today, held against what was carried of it. */
async function movedTags(
  spec: BundleSpec,
  lock: Lock | undefined,
  ports: OutdatedPorts,
  options: OutdatedOptions,
): Promise<readonly Finding[]> {
  const resolving = new Resolving(options);
  const moved = await resolving.each(
    pinned(spec, lock),
    ({ reference, role }) => ({ reference: parseReference(reference), role }),
    async ({ reference, digest }, signal) => {
      const { tag, ...rest } = parseReference(reference);
      if (tag === undefined || rest.digest !== undefined) return [];
      const found = await digestNow(reference, tag, ports, signal);
      return found === digest ? [] : [finding("warning", "outdated.tag", { reference, carried: digest, found })];
    },
  );
  return [...moved.flat(), ...resolving.findings()];
}

function pinned({ plugins }: BundleSpec, lock: Lock | undefined): readonly Pinned[] {
  if (lock === undefined)
    return plugins.list.flatMap(({ ref, digest }) =>
      digest === undefined ? [] : [{ reference: normal(ref), digest, role: "spec" }],
    );
  return lock.items
    .filter(({ kind }) => kind !== "chart")
    .map(({ reference, root, derived, role }) => ({ reference, digest: (derived?.from ?? root).digest, role }));
}

/** A tag that is gone has moved, too. */
async function digestNow(reference: string, tag: string, ports: OutdatedPorts, signal: AbortSignal): Promise<string> {
  try {
    const repository = await ports.repository(parseReference(reference));
    return (await repository.resolve(tag, signal)).descriptor.digest;
  } catch (error) {
    if (isFailure(error, "REGISTRY_NOT_FOUND")) return "404";
    throw error;
  }
}

function normal(ref: string): string {
  return printReference(parseReference(ref));
}
