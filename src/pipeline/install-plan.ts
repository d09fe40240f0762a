import { carriedRelease } from "../model/gateway.ts";
import type { KubeObject } from "../model/kubernetes.ts";
import { ociReference, printReference } from "../model/reference.ts";
import {
  ociPatterns,
  type Mapped,
  type OwnValues,
  type Patch,
  type RelocationMap,
  type RelocationTarget,
  type ValuesLayer,
} from "../model/relocation.ts";
import type { Site } from "../model/site.ts";
import type { Values } from "../model/values.ts";
import type { LockItem } from "../model/lock.ts";
import type { Digest } from "../model/digest.ts";
import type { ReleaseDocument } from "../model/release.ts";
import { consoleUrl, isBuiltIn } from "../stages/plugins/urls.ts";
import { readRelease } from "../stages/documents/read.ts";
import { mapItems, prefixOf, type MappingOptions, type YieldedName } from "../stages/relocate/mapping.ts";
import { relocationPatches, relocationValues } from "../stages/relocate/relocate.ts";

/** A chart as it will be installed on this site. */
export interface PlannedChart {
  readonly name: string;
  readonly version: string;
  /** Entry of the bundle. */
  readonly file: string;
  readonly release: string;
  readonly namespace: string;
  readonly relocation: RelocationMap;
  /** Bundle's, then the user's, then the relocation: each layer wins over the one before. */
  readonly values: readonly ValuesLayer[];
  /** Of `values`, what the site's values files, its own file and the command line say. */
  readonly own: readonly OwnValues[];
  /** How many layers at the start of `values` are the bundle's; the values of a former owner come right after them. */
  readonly below: number;
  /** What no value reaches. */
  readonly patches: readonly Patch[];
  /** Objects that stand in its place without a release, and are taken over first, as they are. */
  readonly unreleased?:
    | {
        readonly by: string;
        /** Of the chart they were made of, and what was set for them, where they tell it. */
        readonly version: string;
        readonly values: Values | undefined;
        readonly objects: readonly KubeObject[];
      }
    | undefined;
}

/** What a plan is made of: a bundle that is open, or one that is about to be packed. */
export interface PlannedBundle {
  readonly source: { readonly name: string };
  readonly document: { readonly items: readonly LockItem[]; readonly version: string };
  readFile(name: string): Promise<Buffer>;
}

/** Everything that follows from a bundle and a site, before anything is asked or changed. */
export interface InstallPlan {
  readonly mapped: readonly Mapped[];
  /** Names on the target that two contents would have. */
  readonly yielded: readonly YieldedName[];
  readonly charts: readonly PlannedChart[];
  readonly prefix: string;
  /** Full references on the target: what may be named by the release. */
  readonly carried: ReadonlySet<string>;
  readonly target: RelocationTarget;
  /** The plugin that the controller gives gateways for MCP servers. */
  readonly mcpServer: string | undefined;
  /** Releases that the site has values of, and the bundle has not. */
  readonly unknownReleases: readonly string[];
  /** The Higress release, which decides what its console and gateway can do. */
  readonly version: string;
}

export interface PlanPorts {
  parseRelocation(text: string, file: string): RelocationMap;
  /** The site's own, in their order. */
  readonly userValues: readonly OwnValues[];
  /** What former owners of releases had set. */
  readonly owners?: readonly OwnerLayer[] | undefined;
}

/** The values that somebody else had given a release which we take over. */
export interface OwnerLayer {
  readonly release: string;
  readonly values: Values;
}

export async function planInstall(bundle: PlannedBundle, site: Site, ports: PlanPorts): Promise<InstallPlan> {
  const release = await readRelease(bundle);
  const maps = await Promise.all(
    release.charts.map(async ({ relocation }) =>
      ports.parseRelocation((await bundle.readFile(relocation)).toString("utf8"), relocation),
    ),
  );
  const version = carriedRelease(bundle.document);
  const naming: MappingOptions = {
    registry: site.registry.host,
    project: site.registry.project,
    templates: site.registry.pathTemplate,
  };
  const prefix = prefixOf(naming);
  const patterns = site.plugins.mode === "oci" ? maps.flatMap(ociPatterns) : [];
  const asked = askedByPattern(bundle.document.items, patterns, { prefix, version });
  const { mapped, yielded } = mapItems(bundle.document.items, { ...naming, asked });
  const target: RelocationTarget = {
    registry: site.registry.host,
    project: site.registry.project,
    prefix,
    namespace: site.cluster.namespace,
    plugins: pluginUrls(mapped, release.mcpServer),
    ...(pullsWithSecret(site) ? { pullSecret: site.pull.secretName } : {}),
    ...(site.plugins.url === undefined ? {} : { pluginServer: site.plugins.url }),
  };
  const charts = release.charts.flatMap((chart, at) => {
    const relocation = maps[at];
    if (relocation === undefined) return [];
    // The site names one release; a bundle with more charts than one keeps their own names.
    const name = release.charts.length === 1 ? site.cluster.release : chart.release;
    return [plannedChart(chart, { relocation, name, target, site, ports })];
  });
  const { mcpServer } = release;
  const named = new Set(ports.userValues.flatMap(({ release: of }) => of ?? []));
  const unknownReleases = [...named].filter((of) => !charts.some((chart) => chart.release === of));
  const carried = carriedReferences(mapped);
  return { mapped, yielded, charts, prefix, carried, target, mcpServer, unknownReleases, version };
}

interface ChartPlace {
  readonly relocation: RelocationMap;
  /** Of the release. */
  readonly name: string;
  readonly target: RelocationTarget;
  readonly site: Site;
  readonly ports: PlanPorts;
}

function plannedChart(
  { name: chart, version, file, valuesFiles, values }: ReleaseDocument["charts"][number],
  { relocation, name, target, site, ports: { owners = [], userValues } }: ChartPlace,
): PlannedChart {
  const own = userValues.filter(({ release = name }) => release === name);
  return {
    name: chart,
    version,
    file,
    release: name,
    namespace: site.cluster.namespace,
    relocation,
    below: valuesFiles.length + 1,
    own,
    values: [
      ...valuesFiles,
      values,
      ...owners.filter(({ release: owned }) => owned === name).map((owner) => owner.values),
      ...own.map(({ layer }) => layer),
      relocationValues(relocation, target, { pluginMode: site.plugins.mode }),
    ],
    patches: relocationPatches(relocation, target, name),
  };
}

/** What a console that makes URLs by a pattern will ask for, and the plugin that it means. */
function askedByPattern(
  items: readonly LockItem[],
  patterns: readonly string[],
  { prefix, version: release }: { readonly prefix: string; readonly version: string },
): ReadonlyMap<string, Digest> {
  const asked = new Map<string, Digest>();
  for (const { name, reference: ref, version, root } of items.filter(isBuiltIn))
    for (const pattern of patterns) {
      const url = consoleUrl(
        { name, ref, version },
        { pattern: pattern.replaceAll("{prefix}", () => prefix) },
        release,
      );
      const wanted = ociReference(url);
      if (wanted !== undefined) asked.set(wanted, root.digest);
    }
  return asked;
}

function pullsWithSecret({ pull, registry }: Site): boolean {
  return pull.robot || pull.credentials !== undefined || registry.credentials !== undefined;
}

/** Plugin name to `oci://` URL on the target; the MCP server's plugin also under the name that the map knows it by. */
function pluginUrls(mapped: readonly Mapped[], mcpServer: string | undefined): ReadonlyMap<string, string> {
  const urls = new Map<string, string>();
  for (const { item, targets } of mapped) {
    const [first] = targets;
    if (item.kind === "plugin" && first !== undefined) urls.set(item.name, `oci://${printReference(first)}`);
  }
  const mcp = mcpServer === undefined ? undefined : urls.get(mcpServer);
  if (mcp !== undefined && !urls.has("mcp-server")) urls.set("mcp-server", mcp);
  return urls;
}

function carriedReferences(mapped: readonly Mapped[]): ReadonlySet<string> {
  return new Set(
    mapped.flatMap(({ item, targets }) =>
      targets.flatMap((target) => [
        printReference(target),
        printReference({ registry: target.registry, repository: target.repository, digest: item.root.digest }),
      ]),
    ),
  );
}
