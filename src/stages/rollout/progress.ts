import type { Event as KubeEvent, Pod } from "kubernetes-types/core/v1.js";
import type { ClusterPort, KubeObject } from "../../model/kubernetes.ts";
import { troubleOf, type PodTrouble } from "../../model/pod-trouble.ts";
import { sanitize } from "../../model/sanitize.ts";

export type RolloutPort = Pick<ClusterPort, "list" | "logs">;

/** Deployment, StatefulSet or DaemonSet, as far as a rollout shows in it. */
export interface Workload extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly readyReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
  };
}

export interface WorkloadProgress {
  /** Of those that are wanted: while a rollout goes on, there are more than that. */
  readonly ready: number;
  readonly wanted: number;
  /** Pods of the template before. */
  readonly old: number;
  readonly done: boolean;
  /** The controller has given up, or cannot even make pods (a quota): its own words. */
  readonly stopped?: string | undefined;
}

/** Where a workload stands; `kubectl rollout status` decides by the same numbers. */
export function progressOf(workload: Workload): WorkloadProgress {
  const { status = {} } = workload;
  const counts = workload.kind === "DaemonSet" ? daemonCounts(workload) : replicaCounts(workload);
  // Before the controller has seen our generation, every count is about the one before.
  const seen = (status.observedGeneration ?? 0) >= Number(workload.metadata["generation"] ?? 0);
  const done = seen && counts.updated >= counts.wanted && counts.ready >= counts.wanted && counts.old === 0;
  const stopped = stoppedBy(status.conditions ?? []);
  const { wanted } = counts;
  const old = seen ? counts.old : counts.updated + counts.old;
  return { ready: Math.min(counts.ready, wanted), wanted, old, done, ...(stopped === undefined ? {} : { stopped }) };
}

interface Counts {
  readonly wanted: number;
  readonly updated: number;
  readonly ready: number;
  readonly old: number;
}

function replicaCounts({ kind, spec = {}, status = {} }: Workload): Counts {
  const updated = status.updatedReplicas ?? 0;
  const available = status.availableReplicas ?? 0;
  // A StatefulSet counts available ones only since 1.22; ready is what older ones have.
  const ready = kind === "StatefulSet" ? Math.max(available, status.readyReplicas ?? 0) : available;
  return { wanted: spec.replicas ?? 1, updated, ready, old: Math.max(0, (status.replicas ?? 0) - updated) };
}

function daemonCounts({ status = {} }: Workload): Counts {
  const {
    desiredNumberScheduled: wanted = 0,
    updatedNumberScheduled: updated = 0,
    numberAvailable: ready = 0,
  } = status;
  return { wanted, updated, ready, old: Math.max(0, wanted - updated) };
}

function stoppedBy(conditions: NonNullable<NonNullable<Workload["status"]>["conditions"]>): string | undefined {
  const stop = conditions.find(
    ({ type, status, reason }) =>
      (type === "ReplicaFailure" && status === "True") ||
      (type === "Progressing" && status === "False" && reason === "ProgressDeadlineExceeded"),
  );
  return stop === undefined ? undefined : sanitize(`${stop.reason ?? stop.type}: ${stop.message ?? ""}`, 400);
}

export interface WorkloadRef {
  readonly kind: "Deployment" | "StatefulSet" | "DaemonSet";
  readonly name: string;
}

/** One workload at one moment. */
export interface Standing {
  readonly workload: string;
  readonly progress: WorkloadProgress;
  readonly troubles: readonly PodTrouble[];
}

export interface LookOptions {
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
}

const everything = "deployments.apps,statefulsets.apps,daemonsets.apps,pods";
const absent: WorkloadProgress = { ready: 0, wanted: 1, old: 0, done: false };

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
