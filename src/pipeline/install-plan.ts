import { printReference } from "../model/reference.ts";
import type { Patch, RelocationMap, RelocationTarget, ValuesLayer, Mapped } from "../model/relocation.ts";
import type { ReleaseRef } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import type { Values } from "../model/values.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import { readRelease } from "../stages/documents/read.ts";
import { mapItems, prefixOf, type MappingOptions } from "../stages/relocate/mapping.ts";
import { relocationPatches } from "../stages/relocate/patches.ts";
import { relocationValues } from "../stages/relocate/relocate.ts";

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
  /** How many of the first are the bundle's: those of a former owner come after them. */
  readonly below: number;
  /** What no value reaches. */
  readonly patches: readonly Patch[];
}

/** Everything that follows from a bundle and a site, before anything is asked or changed. */
export interface InstallPlan {
  readonly mapped: readonly Mapped[];
  readonly charts: readonly PlannedChart[];
  readonly prefix: string;
  /** Full references on the target: what may be named by the release. */
  readonly carried: ReadonlySet<string>;
  readonly target: RelocationTarget;
  /** The plugin that the controller gives gateways for MCP servers. */
  readonly mcpServer: string | undefined;
}

export interface PlanPorts {
  parseRelocation(text: string, file: string): RelocationMap;
  /** The user's values files, as they are written. */
  readonly userValues: readonly string[];
  /** What former owners of releases had set. */
  readonly owners?: readonly OwnerLayer[] | undefined;
}

/** The values that somebody else had given a release which we take over. */
export interface OwnerLayer extends ReleaseRef {
  readonly values: Values;
}

export async function planInstall(bundle: Bundle, site: Site, ports: PlanPorts): Promise<InstallPlan> {
  const options: MappingOptions = {
    registry: site.registry.host,
    project: site.registry.project,
    templates: site.registry.pathTemplate,
  };
  const { mapped } = mapItems(bundle.document.items, options);
  const release = await readRelease(bundle);
  const target: RelocationTarget = {
    registry: site.registry.host,
    project: site.registry.project,
    prefix: prefixOf(options),
    namespace: site.cluster.namespace,
    plugins: pluginUrls(mapped, release.mcpServer),
    ...(pullsWithSecret(site) ? { pullSecret: site.pull.secretName } : {}),
    ...(site.plugins.url === undefined ? {} : { pluginServer: site.plugins.url }),
  };
  const { owners = [] } = ports;
  const charts: PlannedChart[] = [];
  for (const chart of release.charts) {
    const map = ports.parseRelocation((await bundle.readFile(chart.relocation)).toString("utf8"), chart.relocation);
    // The site names one release; a bundle with more charts than one keeps their own names.
    const name = release.charts.length === 1 ? site.cluster.release : chart.release;
    charts.push({
      name: chart.name,
      version: chart.version,
      file: chart.file,
      release: name,
      namespace: site.cluster.namespace,
      relocation: map,
      below: chart.valuesFiles.length + 1,
      values: [
        ...chart.valuesFiles,
        chart.values,
        ...owners.filter(({ release: owned }) => owned === name).map(({ values }) => values),
        ...ports.userValues,
        site.values,
        relocationValues(map, target, { pluginMode: site.plugins.mode }),
      ],
      patches: relocationPatches(map, target, name),
    });
  }
  const { mcpServer } = release;
  return { mapped, charts, prefix: target.prefix, carried: carriedReferences(mapped), target, mcpServer };
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
