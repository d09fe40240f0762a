import { verified } from "../../content/verified.ts";
import { httpGet } from "../../edge/charts/http.ts";
import { pullChart } from "../../edge/charts/pull.ts";
import { loadRelocationMap, loadValues } from "../../edge/files/config.ts";
import { readText } from "../../edge/files/read-text.ts";
import { limits } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import type { LockFile } from "../../model/lock.ts";
import { parseManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";
import { parseReference, pointer } from "../../model/reference.ts";
import type { ChartSpec } from "../../model/spec.ts";
import type { LoadedChart } from "../../pipeline/build-ports.ts";
import { collect } from "../../std/collect.ts";
import type { Context } from "../context.ts";
import type { SourceRepository } from "../../stages/resolve/ports.ts";
import type { RegistryPool } from "./registries.ts";

/** Templates and CRDs; an archive that is larger is something else. */
const maxArchive = 32 * 1024 ** 2;

/** Fetches a chart from wherever the spec says, mirrors in turn, and looks into it. */
export async function loadChart(
  spec: ChartSpec,
  locked: LockFile | undefined,
  pool: RegistryPool,
  context: Context,
): Promise<LoadedChart> {
  const ports = {
    get: httpGet({ transport: (host) => pool.transport(host) }),
    pullOci: (reference: string, signal?: AbortSignal) =>
      locked === undefined ? fromRegistry(reference, pool, signal) : layerOf(reference, locked, pool, signal),
  };
  const { bytes, chart } = await pullChart(spec, ports, context.signal);
  return {
    spec,
    archive: bytes,
    origin: spec.from,
    name: chart.name,
    version: chart.version,
    metadata: chart.metadata,
    newest: chart.newest,
    relocation: await loadRelocationMap(spec.relocation),
    relocationText: await readText(spec.relocation, limits.smallFile),
    valuesFiles: await Promise.all(spec.valuesFiles.map(loadValues)),
    values: spec.values,
  };
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
