import { readGraph } from "../../content/graph.ts";
import { MemoryStore } from "../../content/memory.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import { digestOf } from "../../model/digest.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { LockItem } from "../../model/lock.ts";
import { MediaType } from "../../model/media-type.ts";
import { bare, graphBytes } from "./image.ts";
import type { Resolved } from "./ports.ts";

export interface ChartContent {
  readonly name: string;
  readonly version: string;
  /** The archive as it was published: its bytes never change. */
  readonly archive: Uint8Array;
  /** Chart.yaml, as data. */
  readonly metadata: Json;
  /** Where it came from, as the user wrote it. */
  readonly origin: string;
}

/**
 * A chart as the OCI artifact that `helm push` would make of it, but the same bytes every time: Helm writes the archive's
 * mtime into the manifest, so a copied file would get another digest.
 * https://helm.sh/docs/topics/registries/
 */
export async function resolveChart(chart: ChartContent): Promise<Resolved> {
  const made = new MemoryStore();
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
    made.put(descriptor.digest, bytes);
    return descriptor;
  };
  const config = put(MediaType.helmConfig, Buffer.from(canonicalJson(chart.metadata)));
  const layer = put(MediaType.helmChart, chart.archive);
  const annotations = {
    "org.opencontainers.image.title": chart.name,
    "org.opencontainers.image.version": chart.version,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: { ...config },
    layers: [{ ...layer }],
    annotations,
  };
  const root = put(MediaType.ociManifest, Buffer.from(JSON.stringify(manifest)));
  const graph = await readGraph(made, bare(root), "source");
  const item: LockItem = {
    kind: "chart",
    name: chart.name,
    reference: chartReference(chart),
    root: bare(root),
    bytes: graphBytes(graph),
    platforms: [],
    role: "chart",
    aliases: [],
    version: chart.version,
  };
  return { item, graph, content: made, findings: [] };
}

/** `https://charts.host/path` + name:version, as an image reference; Helm writes `+` in a tag as `_`. */
function chartReference(chart: Pick<ChartContent, "name" | "version" | "origin">): string {
  const tag = chart.version.replaceAll("+", "_");
  const remote = /^(?:https?|oci):\/\/([^/]+)(?:\/(.*?))?\/?$/.exec(chart.origin);
  if (remote === null) return `charts.local/${chart.name}:${tag}`;
  const path = remote[2] === undefined || remote[2] === "" ? "" : `${remote[2].toLowerCase()}/`;
  return `${remote[1] ?? ""}/${path}${chart.name}:${tag}`;
}
