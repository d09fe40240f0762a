import type { Pod } from "kubernetes-types/core/v1.js";

import type { Cluster } from "./cluster.ts";
import { followPods } from "./kubelet/pods.ts";

export interface PodWhere {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/**
 * The first pod for which `holds` is true, now or later, by watching and not by asking again and again.
 * @throws when none came in time, with what the pods looked like
 */
export async function podWhere(
  { api }: Cluster,
  { namespace, labels = {}, timeoutMs = 150_000 }: PodWhere,
  holds: (pod: Pod) => boolean,
): Promise<Pod> {
  const done = new AbortController();
  const seen = new Map<string, unknown>();
  let found: Pod | undefined;
  const changed = (pod: Pod) => {
    const { metadata } = pod;
    if (metadata?.namespace !== namespace) return;
    if (Object.entries(labels).some(([key, value]) => metadata.labels?.[key] !== value)) return;
    seen.set(metadata.name ?? "", pod.status);
    if (found !== undefined || !holds(pod)) return;
    found = pod;
    done.abort();
  };
  const observer = {
    listed: (pods: readonly Pod[]) => {
      pods.forEach(changed);
    },
    changed,
    gone: ({ metadata }: Pod) => seen.delete(metadata?.name ?? ""),
    failed: (error: unknown) => seen.set("the watch", String(error)),
  };
  await followPods(api, observer, AbortSignal.any([done.signal, AbortSignal.timeout(timeoutMs)]));
  if (found !== undefined) return found;
  const statuses = [...seen].map(([name, status]) => `${name}: ${JSON.stringify(status)}`);
  throw new Error(`no such pod in ${namespace} after ${String(timeoutMs)} ms:\n${statuses.join("\n")}`);
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

/** Whether some container of the pod waits for `reason`. */
export function waitsFor(reason: string): (pod: Pod) => boolean {
  return (pod) => pod.status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === reason) === true;
}
