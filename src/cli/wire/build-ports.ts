import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { StartHash } from "../../content/stream-hash.ts";
import { verified } from "../../content/verified.ts";
import { httpGet } from "../../edge/charts/http.ts";
import { chartVersions, pullChart } from "../../edge/charts/pull.ts";
import { unrendered } from "../../edge/charts/unrendered.ts";
import { readChartValues } from "../../edge/charts/values.ts";
import type { bundleOutput } from "../../edge/disk/bundle-output.ts";
import { loadRelocationMap, loadValues, parseRelocationMap } from "../../edge/files/config.ts";
import { readText } from "../../edge/files/read-text.ts";
import { temporaryFile } from "../../edge/files/temporary.ts";
import { openHelm, type Helm } from "../../edge/process/helm.ts";
import { moduleStarter } from "../../edge/wasm/starter.ts";
import { limits } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { gatewayRelease } from "../../model/gateway.ts";
import type { LockFile } from "../../model/lock.ts";
import { parseManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";
import { parseReference, pointer } from "../../model/reference.ts";
import type { BundleSpec, ChartSpec } from "../../model/spec.ts";
import type { BuildPorts, LoadedChart, RenderRequest } from "../../pipeline/build-ports.ts";
import type { RenderPorts } from "../../pipeline/prove.ts";
import type { RehearsedSite } from "../../pipeline/rehearsal.ts";
import { reusing } from "../../pipeline/locked.ts";
import type { Bundle } from "../../content/open-bundle.ts";
import type { SmallFile } from "../../stages/bundle/ports.ts";
import { findInConsole } from "../../stages/plugins/find.ts";
import { pluginManifests } from "../../stages/plugins/manifests.ts";
import type { SourceRepository } from "../../stages/resolve/ports.ts";
import { collect } from "../../std/collect.ts";
import type { Context } from "../context.ts";
import { examiner } from "../../pipeline/examine.ts";
import { loadGateways } from "./tools.ts";
import { startedAs } from "../started-as.ts";
import type { RelocationMap } from "../../model/relocation.ts";
import { chartCrds, chartValues, withFile } from "./install-ports.ts";
import { learnAndTell, mapText, type ChartToLearn } from "./learn.ts";
import type { RegistryPool } from "./registries.ts";

export interface SourceWiring {
  readonly spec: BundleSpec;
  readonly helm: string | undefined;
  /** Earlier bundles: what they have is not fetched. */
  readonly reuse: readonly Bundle[];
}

export interface BuildWiring extends SourceWiring {
  /** The user's own manifests. */
  readonly manifests: readonly SmallFile[];
  readonly output: ReturnType<typeof bundleOutput>;
  readonly hashing: Promise<StartHash>;
  /** Where it will be installed, when that is known here. */
  readonly site: RehearsedSite | undefined;
}

/** Where the build's ports meet their edges. Helm is started only when there is a chart; disposing removes its folders. */
export async function buildPorts(
  wiring: BuildWiring,
  pool: RegistryPool,
  context: Context,
): Promise<BuildPorts & AsyncDisposable> {
  const gateways = await loadGateways();
  const { helm, ...source } = await sourcePorts(wiring, pool, context);
  return {
    ...source,
    examine: examiner({
      gateway: gatewayRelease(wiring.spec.charts, wiring.spec.version),
      gateways,
      starter: moduleStarter(),
      manifests: wiring.manifests.flatMap(({ name, bytes }) =>
        pluginManifests(Buffer.from(bytes).toString("utf8"), name),
      ),
      signal: context.signal,
    }),
    rehearsal: {
      helm: helm ?? withoutCharts,
      withFile,
      chartCrds,
      chartValues,
      parseRelocation: parseRelocationMap,
      site: wiring.site,
    },
    output: wiring.output,
    hashing: wiring.hashing,
  };
}

/** What is asked of the public side; the same for a build and for what only looks whether one is due. */
export interface SourcePorts
  extends Pick<BuildPorts, "loadChart" | "render" | "repository" | "discoverPlugins">, AsyncDisposable {
  readonly helm: RenderPorts["helm"] | undefined;
  /** What a chart's source has, in no order; empty for a file. */
  chartVersions(chart: ChartSpec): Promise<readonly string[]>;
}

export async function sourcePorts(
  { spec: { kubeVersion }, helm: binary, reuse }: SourceWiring,
  pool: RegistryPool,
  context: Context,
): Promise<SourcePorts> {
  const { env, signal } = context;
  const opened = binary === undefined ? undefined : await openHelm(binary, { env, self: startedAs() });
  const helm = opened === undefined ? undefined : renderingOnce(opened);
  return {
    helm,
    loadChart: (spec, { locked }) =>
      loadChart(spec, locked, { pool, learn: learner(opened, context), kubeVersion }, context),
    render: (request) => render(helm, request),
    repository: async (reference) => reusing(await pool.repository(reference), reuse),
    discoverPlugins: async ({ content, root }) => (await findInConsole(root, content, { signal })).plugins,
    chartVersions: (chart) =>
      chartVersions(
        chart,
        {
          get: httpGet({ transport: (host) => pool.transport(host) }),
          tags: async (reference) => (await pool.repository(reference)).tags(signal),
        },
        signal,
      ),
    async [Symbol.asyncDispose]() {
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/** A spec without charts needs no helm. */
const noHelm = (): Promise<never> =>
  Promise.reject(new Failure("TOOL_MISSING", { tool: "helm", looked: "--helm, PATH" }));
const withoutCharts = { template: noHelm, dryRun: noHelm } as const;

/** Names are proved before contents are known, and again with them: mostly by the same values, with which nothing else comes out. */
function renderingOnce(helm: Helm): RenderPorts["helm"] {
  const rendered = new Map<string, Promise<string>>();
  const render: Helm["template"] = async (source, options) => {
    try {
      return await helm.template(source, options);
    } catch (error) {
      throw await unrendered(error, await readFile(source.chart));
    }
  };
  return {
    dryRun: (source, options) => helm.dryRun(source, options),
    template: (source, options) => {
      // Its file, named by the chart, is put into another folder each time.
      const asked = JSON.stringify([
        { ...source, chart: basename(source.chart) },
        options.includeCrds,
        options.anyCluster,
      ]);
      const known = rendered.get(asked) ?? render(source, options);
      rendered.set(asked, known);
      return known;
    },
  };
}

/** A map for a chart whose spec names none. */
type Learn = (chart: ChartToLearn) => Promise<RelocationMap>;

/** A chart without a map is learned before anything else is done with it. */
function learner(helm: Helm | undefined, context: Context): Learn {
  const { report } = context.reporter;
  return async (chart) => {
    if (helm === undefined) return noHelm();
    report({ type: "phase", phase: "learn", state: "started" });
    const map = await learnAndTell(chart, helm, context);
    report({ type: "phase", phase: "learn", state: "done", detail: `${chart.name} ${chart.version}` });
    return map;
  };
}

async function render(helm: SourcePorts["helm"], request: RenderRequest): Promise<string> {
  if (helm === undefined) return "";
  const { chart, kubeVersion, values, patches, signal } = request;
  await using file = await temporaryFile(`${chart.name}-${chart.version}.tgz`, chart.archive);
  const { namespace, release = chart.name } = chart.spec;
  const source = { chart: file.path, release, namespace, kubeVersion, values, patches };
  return await helm.template(source, { includeCrds: true, anyCluster: true, signal });
}

/** Templates and CRDs; an archive that is larger is something else. */
const maxArchive = 32 * 1024 ** 2;

/** Fetches a chart from wherever the spec says, mirrors in turn, and looks into it. */
async function loadChart(
  spec: ChartSpec,
  locked: LockFile | undefined,
  { pool, learn, kubeVersion }: { readonly pool: RegistryPool; readonly learn: Learn; readonly kubeVersion: string },
  context: Context,
): Promise<LoadedChart> {
  const ports = {
    get: httpGet({ transport: (host) => pool.transport(host) }),
    pullOci: (reference: string, signal?: AbortSignal) =>
      locked === undefined ? fromRegistry(reference, pool, signal) : layerOf(reference, locked, pool, signal),
  };
  const { bytes, chart } = await pullChart(spec, ports, context.signal);
  const { name, version, metadata, newest, crds } = chart;
  const { namespace, values } = spec;
  const valuesFiles = await Promise.all(spec.valuesFiles.map(loadValues));
  const chartValues = await readChartValues(bytes, `${name} ${version}`);
  const read = { archive: bytes, crds, name, version, valuesFiles, values, read: chartValues };
  const relocation =
    spec.relocation === undefined
      ? await learn({ ...read, namespace, kubeVersion })
      : await loadRelocationMap(spec.relocation);
  const relocationText =
    spec.relocation === undefined ? mapText(relocation) : await readText(spec.relocation, limits.smallFile);
  return { ...read, spec, origin: spec.from, metadata, newest, relocation, relocationText };
}

async function fromRegistry(reference: string, pool: RegistryPool, signal?: AbortSignal): Promise<Uint8Array> {
  const parsed = parseReference(reference);
  const repository = await pool.repository(parsed);
  const { descriptor, bytes } = await repository.resolve(pointer(parsed), signal);
  const manifest = parseManifest(bytes, descriptor.mediaType);
  const layer =
    manifest.kind === "image" ? manifest.layers.find(({ mediaType }) => mediaType === MediaType.helmChart) : undefined;
  if (layer === undefined) throw new Failure("CHART_UNUSABLE", { chart: reference, why: `no ${MediaType.helmChart}` });
  return readArchive(reference, layer, repository, signal);
}

/** The archive is the layer, so its sha256 is the layer's digest: a lock's chart needs no tag. */
async function layerOf(
  reference: string,
  { sha256, size }: LockFile,
  pool: RegistryPool,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const layer = { mediaType: MediaType.helmChart, digest: `sha256:${sha256}` as Digest, size };
  return readArchive(reference, layer, await pool.repository(parseReference(reference)), signal);
}

async function readArchive(
  reference: string,
  layer: Descriptor,
  repository: SourceRepository,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (layer.size > maxArchive)
    throw new Failure("CHART_UNUSABLE", { chart: reference, why: `${layer.size} B > ${maxArchive} B` });
  return collect(verified(repository.fetch(layer, { signal }), layer, "source"), maxArchive);
}
