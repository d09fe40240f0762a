import { reportFindings, stopAt } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import { finding, type Finding } from "../model/finding.ts";
import { foreignCharacter, isReference, registriesOf } from "../model/reference.ts";
import { containerImage, discoverReferences, findGaps, type FoundReference } from "../stages/discover/discover.ts";
import { relocationExceptions, relocationPatches, relocationValues } from "../stages/relocate/relocate.ts";
import type { SmallFile } from "../stages/bundle/ports.ts";
import { misfits } from "./misfits.ts";
import { placeholder, unreadableCrds } from "./rehearsal.ts";
import type { BuildInput, BuildOptions, BuildPorts, LoadedChart } from "./build-ports.ts";

const sentinel = `${placeholder.host}/${placeholder.project}`;

export interface Discovered {
  readonly images: readonly FoundReference[];
  readonly plugins: readonly FoundReference[];
  /** What stands where a reference should, and stops the build when all that cannot be had is told. */
  readonly unreadable: readonly Finding[];
  /** The image of the console, where a chart's map says which container that is. */
  readonly console: string | undefined;
}

interface DiscoverInput extends Pick<BuildInput, "manifests" | "crds"> {
  readonly spec: Pick<BuildInput["spec"], "kubeVersion">;
}

/**
 * Renders each chart twice with real helm: once as it is, to see what it names, and once relocated to a name that cannot
 * exist, to see what the relocation map leaves behind. A gap stops the build, and so does a CRD that nobody can read: all at
 * once, and before anything is downloaded.
 */
export async function discover(
  charts: readonly LoadedChart[],
  { spec: { kubeVersion }, manifests, crds }: DiscoverInput,
  ports: Pick<BuildPorts, "render">,
  options: BuildOptions,
): Promise<Discovered> {
  refuseUnreadable(charts, crds, options);
  const found: FoundReference[] = manifests.flatMap((file) =>
    discoverReferences(Buffer.from(file.bytes).toString("utf8")),
  );
  const gaps: Finding[] = [];
  let console: string | undefined;
  for (const [done, chart] of charts.entries()) {
    const name = `${chart.name} ${chart.version}`;
    options.report({ type: "step", phase: "discover", name, done, items: charts.length });
    reportFindings(misfits(chart), options.report);
    const layers = [...chart.valuesFiles, chart.values];
    const request = { chart, kubeVersion, signal: options.signal };
    const plain = await ports.render({ ...request, values: layers });
    const named = discoverReferences(plain);
    found.push(...named);
    if (chart.relocation.console !== undefined) console ??= containerImage(plain, chart.relocation.console);
    const target = sentinelTarget(chart);
    const moved = relocationValues(chart.relocation, target, { pluginMode: "oci" });
    const release = chart.spec.release ?? chart.name;
    const patches = relocationPatches(chart.relocation, target, release);
    const relocated = await ports.render({ ...request, values: [...layers, moved], patches });
    const registries = registriesOf(named.map(({ reference }) => reference));
    const exceptions = relocationExceptions(chart.relocation, release);
    gaps.push(...findGaps(relocated, { prefixes: [sentinel], registries }, { exceptions, patches }));
    const renderFor = (version: string): Promise<string> =>
      ports.render({ ...request, kubeVersion: version, values: layers });
    if (chart.read.asksKubeVersion === true)
      reportFindings(await ofOtherVersions(name, kubeVersion, named, renderFor), options.report);
  }
  const told = unreadable(found);
  const errors = told.filter(({ severity }) => severity === "error");
  // A gap stops it here: what would be found of the same map later is told by it.
  if (gaps.length > 0) stopAt([...told, ...gaps], options.report, "source");
  reportFindings(
    told.filter((each) => !errors.includes(each)),
    options.report,
  );
  return { images: unique(found, "image"), plugins: unique(found, "plugin"), unreadable: errors, console };
}

/** Of Kubernetes: older than any that Helm 4 knows, and newer than there is. */
const otherVersions = ["1.19.0", "1.99.0"];

/** What a chart names only on another Kubernetes than the spec's: where the cluster inside is such a one, it is not carried. */
async function ofOtherVersions(
  chart: string,
  version: string,
  named: readonly FoundReference[],
  renderFor: (version: string) => Promise<string>,
): Promise<readonly Finding[]> {
  const known = new Set(named.map(({ reference }) => reference));
  const others = new Set<string>();
  for (const other of otherVersions) {
    // What a chart refuses to be rendered for, nobody will install there.
    const text = await renderFor(other).catch((error: unknown) => {
      if (!isFailure(error, "HELM_FAILED", "CHART_UNUSABLE", "CHART_VALUE_WANTED")) throw error;
      return "";
    });
    for (const { reference } of discoverReferences(text)) if (!known.has(reference)) others.add(reference);
  }
  if (others.size === 0) return [];
  return [finding("warning", "chart.kube-version", { chart, version, references: [...others].join(" ") })];
}

/** A render of a chart has its CRDs in it, so they are looked at first. */
function refuseUnreadable(charts: readonly LoadedChart[], crds: readonly SmallFile[], { report }: BuildOptions): void {
  const faults = unreadableCrds([
    ...crds.map(({ name, bytes }) => ({ name, text: Buffer.from(bytes).toString("utf8") })),
    ...charts.flatMap((chart) => chart.crds),
  ]);
  stopAt(faults, report, "source");
}

function sentinelTarget(chart: LoadedChart): Parameters<typeof relocationValues>[1] {
  return {
    registry: placeholder.host,
    project: placeholder.project,
    prefix: sentinel,
    namespace: chart.spec.namespace,
    pullSecret: "sentinel",
    plugins: sentinelPlugins,
  };
}

/** Every plugin that the map may name has a place under the sentinel. */
const sentinelPlugins: ReadonlyMap<string, string> = new (class extends Map<string, string> {
  override get(name: string): string {
    return `oci://${sentinel}/plugins/${name}:sentinel`;
  }
  override has(): boolean {
    return true;
  }
})();

function unique(found: readonly FoundReference[], kind: FoundReference["kind"]): readonly FoundReference[] {
  const byReference = new Map<string, FoundReference>();
  for (const one of found)
    if (one.kind === kind && isReference(one.reference) && !byReference.has(one.reference))
      byReference.set(one.reference, one);
  return [...byReference.values()];
}

/**
 * What was found and is no reference at all is said, not dropped: silence is how images get left behind. Other text may
 * stand there by design; one with a character that no reference can have was meant to be one, and no node can pull it.
 */
function unreadable(found: readonly FoundReference[]): readonly Finding[] {
  return (
    found
      // A plugin at a web server has a URL and no reference. `rehearse` judges it, so there is no warning here.
      .filter(({ reference, kind }) => !isReference(reference) && !(kind === "plugin" && /^https?:/i.test(reference)))
      .map(({ where, path, reference }) => {
        const foreign = foreignCharacter(reference);
        const severity = foreign === undefined || foreign < "U+0080" ? "warning" : "error";
        const facts = { where, path, value: reference.slice(0, 300), why: foreign ?? "registry/repository:tag" };
        return finding(severity, "reference.unreadable", facts);
      })
  );
}

/** What nobody can read lands nowhere either: that it is outside, too, is no news. */
export function isOneOf(unreadable: readonly Finding[], { facts }: Finding): boolean {
  const valueOf = (about: object): unknown => (about as { readonly value?: unknown }).value;
  return valueOf(facts) !== undefined && unreadable.some((each) => valueOf(each.facts) === valueOf(facts));
}
