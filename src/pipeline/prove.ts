import type { Site } from "../model/site.ts";
import { relocationExceptions } from "../stages/relocate/relocate.ts";
import { finding, type Finding, type FindingFacts } from "../model/finding.ts";
import type { DeclaredReference } from "../model/inside.ts";
import {
  identityOf,
  isInstalled,
  itemsAt,
  podSpecOf,
  renderedObjects,
  textAt,
  type RenderedObject,
} from "../model/rendered-object.ts";
import type { ValuesLayer } from "../model/relocation.ts";
import type { WasmPlugin } from "../model/wasm-plugin.ts";
import { printReference } from "../model/reference.ts";
import { placedTargets, type RenderedName } from "../stages/apply/objects.ts";
import { prove, workloadsWithoutPullSecret, type Proof, type ProveOptions } from "../stages/prove/prove.ts";
import { insideOf, wantedPlugins } from "./wanted-plugins.ts";
import type { HelmPort, HelmSource } from "../model/helm.ts";
import { refusedValues, valueMisfits } from "./misfits.ts";
import type { ChartValues } from "../model/values.ts";
import type { InstallPlan, PlannedBundle, PlannedChart } from "./install-plan.ts";

export interface Rendered {
  readonly chart: PlannedChart;
  readonly manifest: string;
  readonly crds: readonly string[];
  /** Of the site's own values, those that the chart does not know, or not so. */
  readonly misfits: readonly Finding[];
}

export interface ProofResult {
  readonly findings: readonly Finding[];
  readonly images: number;
  readonly strings: number;
  /** Accounts whose pods would pull without credentials. */
  readonly accounts: readonly string[];
  /** What names a place of the site's own, and the entry of `inside:` that allows it. */
  readonly declared: readonly DeclaredReference[];
}

/** What a site adds to the charts, and what is therefore proved with them. */
export interface OwnParts {
  /** The user's WasmPlugin manifests. */
  readonly userPlugins: readonly string[];
  /** PEM of the registry's CA: with it, an overlay is laid over the workloads that fetch. */
  readonly ca: string | undefined;
}

export interface RenderPorts {
  readonly helm: Pick<HelmPort, "template" | "dryRun">;
  /** Puts bytes where a program can read them, for as long as `use` runs. */
  withFile<T>(name: string, bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T>;
  /** CRDs of a chart archive, as YAML. */
  chartCrds(archive: Uint8Array): Promise<readonly string[]>;
  /** What a chart archive says of its values. */
  chartValues(archive: Uint8Array): Promise<ChartValues>;
}

interface RenderOptions {
  /** Of Kubernetes: without a cluster, rendered for this version. */
  readonly offline?: string;
  readonly anyCluster?: boolean;
  readonly signal: AbortSignal;
}

/**
 * Renders each chart by the very call that will install it, as a server-side dry run: `helm template` would not see what
 * `lookup` finds. Without a cluster, the template is the next best thing.
 */
export async function renderAll(
  plan: InstallPlan,
  bundle: Pick<PlannedBundle, "readFile">,
  ports: RenderPorts,
  options: RenderOptions,
): Promise<readonly Rendered[]> {
  const rendered: Rendered[] = [];
  for (const chart of plan.charts) {
    const archive = await bundle.readFile(chart.file);
    const manifest = await ports.withFile(`${chart.name}-${chart.version}.tgz`, archive, async (path) => {
      const render = (values: readonly ValuesLayer[]): Promise<string> =>
        renderOne({ ...helmSource(chart, path), values }, ports.helm, options);
      try {
        return await render(chart.values);
      } catch (error) {
        throw await refusedValues(error, chart, render);
      }
    });
    const layers = chart.own.map(({ layer }) => layer);
    const misfits = valueMisfits(`${chart.name} ${chart.version}`, layers, await ports.chartValues(archive));
    rendered.push({ chart, manifest, crds: await ports.chartCrds(archive), misfits });
  }
  return withoutReadElsewhere(rendered).map((each, at) =>
    at === 0 ? { ...each, misfits: [...unknownReleases(plan), ...each.misfits] } : each,
  );
}

function unknownReleases({ charts, unknownReleases: names }: InstallPlan): readonly Finding[] {
  const known = charts.map(({ release }) => release).join(", ");
  return names.map((release) => finding("warning", "site.release-unknown", { release, known }));
}

async function renderOne(
  source: HelmSource,
  helm: RenderPorts["helm"],
  { offline, anyCluster, signal }: RenderOptions,
): Promise<string> {
  if (offline === undefined) return (await helm.dryRun(source, { signal })).manifest;
  return helm.template({ ...source, kubeVersion: offline }, { includeCrds: false, anyCluster, signal });
}

/** The site's values are laid over every chart: a key that one of them reads is no mistake, and one that none reads is told once. */
function withoutReadElsewhere(rendered: readonly Rendered[]): readonly Rendered[] {
  const unread = rendered.map(({ misfits }) => new Set(misfits.flatMap((found) => unreadPath(found) ?? [])));
  const told = new Set<string>();
  return rendered.map((each) => ({
    ...each,
    misfits: each.misfits.filter((found) => {
      const path = unreadPath(found);
      if (path === undefined) return true;
      const isFirst = !told.has(path) && unread.every((paths) => paths.has(path));
      told.add(path);
      return isFirst;
    }),
  }));
}

function unreadPath({ code, facts }: Finding): string | undefined {
  return code === "chart.value-unread" ? (facts as FindingFacts["chart.value-unread"]).path : undefined;
}

export function helmSource(chart: PlannedChart, path: string): HelmSource {
  const { release, namespace, values, patches, unreleased } = chart;
  return { chart: path, release, namespace, values, patches, takesOwnership: unreleased !== undefined };
}

/** The gate: everything that would be applied, from whatever source, names only what was carried or what the site declares. */
export function proveAll(rendered: readonly Rendered[], plan: InstallPlan, site: Site, own: OwnParts): ProofResult {
  const wanted = wantedPlugins(plan, site, own.userPlugins);
  const options = { inside: insideOf(plan, site), carried: plan.carried };
  const results = [
    ...rendered.map(({ manifest, chart }) => proveRelease(manifest, [chart], options)),
    prove(
      wanted.plugins.map(({ plugin }) => withoutUrl(plugin)),
      options,
    ),
  ];
  const sum = (of: (result: (typeof results)[number]) => number): number =>
    results.reduce((total, result) => total + of(result), 0);
  return {
    findings: [
      ...results.flatMap(({ findings }) => findings),
      ...wanted.findings,
      ...yieldedNames(plan),
      ...(own.ca === undefined ? [] : overlaysWithoutTarget(rendered, plan)),
    ],
    images: sum(({ images }) => images),
    strings: sum(({ strings }) => strings),
    accounts: [
      ...new Set(
        rendered.flatMap(({ manifest }) => workloadsWithoutPullSecret(manifest)).map(({ account }) => account),
      ),
    ],
    declared: results.flatMap(({ declared }) => declared),
  };
}

/** What of a release is applied, by the maps of these charts: rendered, or as helm has stored it. */
export function proveRelease(
  manifest: string,
  charts: readonly PlannedChart[],
  options: Pick<ProveOptions, "inside" | "carried">,
): Proof {
  return prove(renderedObjects(manifest).filter(isInstalled), {
    ...options,
    exceptions: charts.flatMap(({ relocation, release }) => relocationExceptions(relocation, release)),
    patches: charts.flatMap(({ patches }) => patches),
  });
}

/** Two contents cannot have one name: which of them it is, is said. */
function yieldedNames({ yielded }: InstallPlan): readonly Finding[] {
  return yielded.map(({ item, target, by, instead }) =>
    instead === undefined
      ? finding("note", "plugin.alias-dropped", {
          plugin: item.name,
          target: printReference(target),
          by: by.reference,
        })
      : finding("note", "plugin.put-elsewhere", {
          reference: item.reference,
          target: printReference(target),
          instead: printReference(instead),
          by: by.reference,
        }),
  );
}

/** `wantedPlugins` judges `spec.url`, knowing what was carried under which name: left in, a fault would be told twice. */
function withoutUrl({ spec = {}, ...rest }: WasmPlugin): RenderedObject {
  return { ...rest, spec: Object.fromEntries(Object.entries(spec).filter(([name]) => name !== "url")) };
}

/**
 * The overlay gives the registry's CA to the workloads that fetch plugins. Where such a workload or its container is not
 * rendered, the gateway would not trust the registry and would fetch no plugin: an error.
 */
function overlaysWithoutTarget(rendered: readonly Rendered[], plan: InstallPlan): readonly Finding[] {
  const workloads = renderedNames(rendered);
  return plan.charts
    .filter(({ name }) => rendered.some(({ chart }) => chart.name === name))
    .flatMap(({ relocation }) => relocation.trust)
    .filter((target) => placedTargets(target, workloads).length === 0)
    .map(({ kind, name, container }) =>
      finding("error", "overlay.no-target", { workload: `${kind}/${name}`, container }),
    );
}

export function renderedNames(rendered: readonly Rendered[]): readonly RenderedName[] {
  return rendered.flatMap(({ manifest, chart: { release } }) =>
    renderedObjects(manifest).map((object) => {
      const { kind, name } = identityOf(object);
      const containers = itemsAt(podSpecOf(object)?.spec ?? {}, "containers").flatMap(
        (each) => textAt(each, "name") ?? [],
      );
      return { kind, name, containers, release };
    }),
  );
}
