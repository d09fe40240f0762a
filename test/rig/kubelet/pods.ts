import { setTimeout as delay } from "node:timers/promises";

import type { Pod, PodList } from "kubernetes-types/core/v1.js";

import type { KubeApi } from "./api.ts";

export interface PodObserver {
  /** All the pods there are, at the start and whenever the watch had to begin anew. */
  listed(pods: readonly Pod[]): void;
  changed(pod: Pod): void;
  gone(pod: Pod): void;
  /** The server could not be asked; it will be again. */
  failed(error: unknown): void;
}

const path = "/api/v1/pods";
const reconnectMs = 200;

/**
 * Follows every pod of the cluster until `signal` aborts; does not reject. Lists before it watches: a watch without a
 * resourceVersion hung until the next pod was written, or failed with "Too large resource version", because the server
 * cannot ask etcd 3.4.23 (Debian 12) how fresh its cache is.
 */
export async function followPods(api: KubeApi, observer: PodObserver, signal: AbortSignal): Promise<void> {
  const again = async (error: unknown) => {
    if (signal.aborted) return;
    observer.failed(error);
    await delay(reconnectMs, undefined, { signal }).catch(() => undefined);
  };
  while (!signal.aborted) await listAndWatch(api, observer, signal).catch(again);
}

async function listAndWatch(api: KubeApi, observer: PodObserver, signal: AbortSignal): Promise<void> {
  const list = (await api.get(path)) as PodList;
  observer.listed(list.items);
  let version = list.metadata?.resourceVersion;
  while (version !== undefined && !signal.aborted) version = await watchFrom(api, observer, version, signal);
}

/** Where to go on when the server ends the watch, or undefined when its history does not reach back that far. */
async function watchFrom(
  api: KubeApi,
  observer: PodObserver,
  from: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let version = from;
  const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}`;
  for await (const { type, object } of api.watch(`${path}?${query}`, signal)) {
    if (type === "ERROR") return undefined;
    const pod = object as Pod;
    version = pod.metadata?.resourceVersion ?? version;
    if (type === "DELETED") observer.gone(pod);
    else if (type !== "BOOKMARK") observer.changed(pod);
  }
  return version;
}
