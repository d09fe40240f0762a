import pMap from "p-map";
import type { Graph } from "../../src/content/graph.ts";
import type { Fetcher, Pusher } from "../../src/content/store.ts";
import type { Descriptor } from "../../src/model/descriptor.ts";
import type { Digest } from "../../src/model/digest.ts";

export interface CopyOptions {
  /** How many blobs move at once. @default 8: N=4 saturates a LAN, latency wants more (docs/facts/node.md#latency). */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((descriptor: Descriptor, bytes: number) => void) | undefined;
  readonly onDone?: ((descriptor: Descriptor, state: "done" | "present") => void) | undefined;
}

/** Blobs of many graphs as one list: each digest once, largest first so that the tail of the transfer is short. */
function uniqueBlobs(graphs: readonly Graph[]): readonly Descriptor[] {
  const unique = new Map<Digest, Descriptor>();
  for (const blob of graphs.flatMap((graph) => graph.blobs))
    if (!unique.has(blob.digest)) unique.set(blob.digest, blob);
  return [...unique.values()].sort((a, b) => b.size - a.size || (a.digest < b.digest ? -1 : 1));
}

/**
 * Copies a graph: blobs first (bounded, each once), then manifests, children before parents. The first failure stops
 * new work; what is in flight is aborted by the signal that the failure raises.
 */
export async function copyGraph(from: Fetcher, into: Pusher, graph: Graph, options: CopyOptions = {}): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const one = async (descriptor: Descriptor): Promise<void> => {
    signal.throwIfAborted();
    const present = await into.has(descriptor, signal);
    const onBytes = (bytes: number): void => options.onBytes?.(descriptor, bytes);
    if (!present)
      await into.push(descriptor, (offset) => from.fetch(descriptor, { offset, signal }), { signal, onBytes });
    options.onDone?.(descriptor, present ? "present" : "done");
  };
  try {
    await pMap(uniqueBlobs([graph]), one, { concurrency: options.concurrency ?? 8, signal });
    for (const manifest of graph.manifests) await one(manifest.descriptor);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}
