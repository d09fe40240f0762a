import { carriedRelease } from "../model/gateway.ts";
import { projectsOf } from "../model/relocation.ts";
import pMap from "p-map";
import type { Report } from "../model/event.ts";
import { isFailure, type Failure } from "../model/failure.ts";
import type { ReleaseRef } from "../model/receipt.ts";
import type { NewRelease, PreflightPort } from "../stages/preflight-cluster/input.ts";
import { liveObjects } from "./live-objects.ts";
import type { Finding } from "../model/finding.ts";
import { misplacedFields, renderedObjects, typedObjects } from "../model/rendered-object.ts";
import { effectiveConfig } from "../stages/plugins/manifests.ts";
import { preflightCluster } from "../stages/preflight-cluster/preflight.ts";
import type { PullProbe, RegistryProbe } from "../stages/preflight-registry/ports.ts";
import { preflightRegistry, type PreflightResult } from "../stages/preflight-registry/preflight.ts";
import type { Fetcher } from "../content/store.ts";
import type { LockItem } from "../model/lock.ts";
import { carriedPlugins, checkCarried, type StartPorts } from "./carried-plugins.ts";
import { specCrds } from "./export.ts";
import type { InstallPorts, InstallInput } from "./install-ports.ts";
import { pendingReleases } from "./release.ts";
import { planByProject } from "./push.ts";
import { helmSource, renderAll, type Rendered, type RenderPorts } from "./prove.ts";
import { isInside, wantedPlugins, type Wanted } from "./wanted-plugins.ts";

/** For every question. */
interface Asking {
  readonly signal: AbortSignal;
  /** Who asks only, without installing, is told also what is in order. */
  readonly report?: Report | undefined;
}

export interface ClusterPreflightPorts extends RenderPorts, Asking {
  readonly helm: Pick<InstallPorts["helm"], "status" | "history" | "template" | "dryRun" | "appliesOnServer">;
  readonly cluster: PreflightPort;
}

export interface PluginPreflightPorts extends Pick<InstallPorts, "userPlugins" | "target">, Asking {
  readonly modules: StartPorts;
}

export interface RegistryPreflightPorts extends Pick<InstallPorts, "target" | "pushOptions" | "now">, Asking {
  readonly insecure: boolean;
  /** False: what goes before an install that leaves the push out. */
  readonly pushes?: boolean | undefined;
  readonly pusher: RegistryProbe & Identified;
  readonly puller: Omit<PullProbe, "as"> & Identified;
}

/** Who it asks as: a user name, or `anonymous`. */
interface Identified {
  identity(): Promise<string>;
}

export type PreflightPorts = ClusterPreflightPorts & PluginPreflightPorts & RegistryPreflightPorts;

/** What was found, and what of the questions could not be asked: a chart that does not render, for one. */
export interface Preflighted {
  readonly findings: readonly Finding[];
  readonly failure: Failure | undefined;
}

/** Every question to registry, cluster and plugins; nothing is changed. One that fails keeps the others from nothing. */
export async function preflight(asked: InstallInput, ports: PreflightPorts): Promise<Preflighted> {
  const findings: Finding[] = [];
  const failures: Failure[] = [];
  for (const part of [registryFindings, clusterFindings, pluginFindings]) {
    const found = await part(asked, ports).catch((error: unknown) => {
      if (!isFailure(error)) throw error;
      failures.push(error);
      return [];
    });
    findings.push(...found);
  }
  return { findings, failure: failures[0] };
}

async function registryFindings(asked: InstallInput, ports: RegistryPreflightPorts): Promise<readonly Finding[]> {
  return (await askRegistry(asked, ports)).findings;
}

/** All that can be asked of the registry before a byte is sent, with the eyes of who pushes and of who pulls. */
export async function askRegistry(asked: InstallInput, ports: RegistryPreflightPorts): Promise<PreflightResult> {
  const { site, plan, bundle } = asked;
  const { pusher, puller } = ports;
  const planned = await planByProject(asked, ports);
  return await preflightRegistry(
    {
      host: site.registry.host,
      plainHttp: site.registry.plainHttp,
      insecure: ports.insecure,
      as: await pusher.identity(),
      mapped: plan.mapped,
      missing: planned.missing,
      settled: ports.pushes === false ? projectsOf(plan.mapped) : planned.settled,
      largestBlob: Math.max(0, ...bundle.document.blobs.map(({ size }) => size)),
      createProject: site.registry.createProject !== undefined,
      robot: site.pull.robot,
      gatewayPulls: site.plugins.mode === "oci" && plan.mapped.some(({ item }) => item.kind === "plugin"),
      pull: Object.assign(puller, { as: await puller.identity() }),
      passed: (facts) => ports.report?.({ type: "note", text: "passed-registry", facts }),
      now: () => ports.now().getTime(),
      signal: ports.signal,
    },
    pusher,
  );
}

/** All that can be asked of the cluster before anything is changed, about the very objects that would be applied. */
async function clusterFindings(
  { bundle, site, plan }: InstallInput,
  ports: ClusterPreflightPorts,
): Promise<readonly Finding[]> {
  const { signal } = ports;
  const { namespace, release } = site.cluster;
  const rendered = await renderAll(plan, bundle, ports, { offline: bundle.document.kubeVersion, signal });
  const newReleases: NewRelease[] = [];
  for (const { chart, manifest } of rendered)
    if (chart.unreleased === undefined && (await isAbsent(chart, ports)))
      newReleases.push({ ...chart, render: typedObjects(manifest, chart.name) });
  const plugins = bundle.document.items.filter(
    ({ kind, name }) => kind === "plugin" && site.plugins.enable.includes(name),
  );
  const findings = await preflightCluster(
    {
      namespace,
      release,
      render: rendered.flatMap(({ chart, manifest }) => typedObjects(manifest, chart.name)),
      crds: [...rendered.flatMap(({ crds }) => crds), ...(await specCrds(bundle))].flatMap((crd) =>
        typedObjects(crd, "crds"),
      ),
      newReleases,
      appliesOnServer: () => isAppliedOnServer(rendered, ports),
      standing: ({ render }) => liveObjects(render, namespace, ports),
      platforms: bundle.document.platforms,
      plugins: plugins.map(({ name, bytes }) => ({ name, bytes })),
      isInside: (url) => isInside(url, plan, site),
      passed: (question) => ports.report?.({ type: "note", text: "passed-cluster", facts: { question } }),
      signal,
      pending: await pendingReleases(plan, ports),
    },
    ports.cluster,
  );
  return [...rendered.flatMap(({ misfits }) => misfits), ...findings];
}

/** Where helm may not be asked, its own refusal is what is told. */
async function isAbsent(
  { release, namespace }: ReleaseRef,
  { helm, signal }: Pick<ClusterPreflightPorts, "helm" | "signal">,
): Promise<boolean> {
  try {
    return (await helm.status(release, namespace, { signal })) === undefined;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return false;
  }
}

/** Any of those that have such a field. */
async function isAppliedOnServer(
  rendered: readonly Rendered[],
  { helm, signal }: ClusterPreflightPorts,
): Promise<boolean> {
  for (const { chart, manifest } of rendered) {
    if (misplacedFields(renderedObjects(manifest)).length === 0) continue;
    if (await helm.appliesOnServer(helmSource(chart, chart.file), { signal })) return true;
  }
  return false;
}

/** A module and its worker can take half a gigabyte: two at once keep a small host alive. */
const concurrency = 2;

/** Starts what the site wants switched on with the configuration that the gateway will hand it: before the cluster sees it. */
export async function pluginFindings(asked: InstallInput, ports: PluginPreflightPorts): Promise<readonly Finding[]> {
  const wanted = wantedPlugins(asked.plan, asked.site, ports.userPlugins);
  return [...wanted.findings, ...(await startFindings(asked, wanted, ports))];
}

async function startFindings(
  { bundle, plan }: InstallInput,
  { plugins }: Wanted,
  ports: PluginPreflightPorts,
): Promise<readonly Finding[]> {
  const { signal } = ports;
  const starts = plugins.flatMap(({ plugin, item }) => {
    const config = effectiveConfig(plugin);
    // Switched off, it is never loaded; from a server of the site, its module is not here.
    return item === undefined || config === undefined ? [] : [{ name: item.name, config }];
  });
  if (starts.length === 0) return [];
  const contentOf = carriedOrPushed(bundle, plan, ports.target);
  const check = checkCarried(contentOf, carriedRelease(bundle.document), ports.modules, signal);
  const carried = new Map(carriedPlugins(bundle).map((plugin) => [plugin.item.name, plugin]));
  const checked = await pMap(
    starts,
    async ({ name, config }) => {
      const plugin = carried.get(name);
      return plugin === undefined ? [] : (await check(plugin, config === "" ? [] : [config])).findings;
    },
    { concurrency, signal },
  );
  // What could not be predicted of a plugin is no news to who installs; `plugins check` tells it.
  return checked.flat().filter(({ severity }) => severity !== "note");
}

/** What a delta leaves out is where its item goes. */
function carriedOrPushed(
  bundle: InstallInput["bundle"],
  { mapped }: InstallInput["plan"],
  target: PluginPreflightPorts["target"],
): (item: LockItem) => Fetcher {
  return ({ reference }) => {
    const [first] = mapped.find(({ item }) => item.reference === reference)?.targets ?? [];
    const there = first === undefined ? bundle : target.repository(first.repository);
    return { fetch: (blob, options) => (bundle.hasBlob(blob.digest) ? bundle : there).fetch(blob, options) };
  };
}
