import type { Event as KubeEvent, Pod } from "kubernetes-types/core/v1.js";
import { troubleOf, type PodTrouble } from "../../model/pod-trouble.ts";
import type { RolloutPort } from "./ports.ts";
import { progressOf, type Progress, type Workload } from "./progress.ts";

export interface WorkloadRef {
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly name: string;
}

/** One workload at one moment. */
export interface Standing {
  readonly workload: string;
  readonly progress: Progress;
  readonly troubles: readonly PodTrouble[];
}

export interface LookOptions {
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
}

const everything = "deployments.apps,statefulsets.apps,daemonsets.apps,pods";
const absent: Progress = { ready: 0, wanted: 1, done: false };

/** One call for all workloads and their pods, and a second one for events when a pod is in trouble. */
export async function lookAt(
  workloads: readonly WorkloadRef[],
  port: RolloutPort,
  { namespace, signal }: LookOptions,
): Promise<readonly Standing[]> {
  const objects = await port.list<Workload>({ resource: everything, namespace, signal });
  const pods = objects.filter(({ kind }) => kind === "Pod") as unknown as readonly Pod[];
  const found = workloads.map(({ kind, name }) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name),
  );
  const troubled = found.some((workload) => podsOf(workload, pods).some((pod) => troubleOf(pod) !== undefined));
  const events = troubled ? await port.list<KubeEvent>({ resource: "events", namespace, signal }) : [];
  return workloads.map(({ name }, at) => ({
    workload: name,
    progress: found[at] === undefined ? absent : progressOf(found[at]),
    troubles: podsOf(found[at], pods).flatMap((pod) => troubleOf(pod, events) ?? []),
  }));
}

/** A pod that is on its way out says nothing about the new ones. */
function podsOf(workload: Workload | undefined, pods: readonly Pod[]): readonly Pod[] {
  const labels = Object.entries(workload?.spec?.selector?.matchLabels ?? {});
  if (labels.length === 0) return [];
  return pods.filter(
    ({ metadata }) =>
      metadata?.deletionTimestamp === undefined && labels.every(([key, value]) => metadata?.labels?.[key] === value),
  );
}
