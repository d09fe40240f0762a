import type { Pod } from "kubernetes-types/core/v1.js";
import type { ClusterPort } from "./ports.ts";

export interface PendingPullsInput {
  readonly namespace: string;
  readonly accounts: readonly string[];
  readonly secret: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes the pods of these accounts that wait for an image and were born without the secret: admission gives it to new
 * pods only. A pod that runs has its image, and is left alone.
 */
export async function restartPendingPulls(input: PendingPullsInput, cluster: ClusterPort): Promise<readonly string[]> {
  const pods = await cluster.list<Pod>({ resource: "pods", namespace: input.namespace, signal: input.signal });
  const pending = pods.filter((pod) => isPending(pod, input)).flatMap(({ metadata }) => metadata?.name ?? []);
  for (const name of pending)
    await cluster.delete({ resource: "pods", name, namespace: input.namespace }, input.signal);
  return pending;
}

function isPending(pod: Pod, { accounts, secret }: PendingPullsInput): boolean {
  const born = pod.spec?.imagePullSecrets ?? [];
  const mine = accounts.includes(pod.spec?.serviceAccountName ?? "default");
  return mine && !born.some(({ name }) => name === secret) && waitsForImage(pod);
}

function waitsForImage({ status }: Pod): boolean {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const reasons = containers.map(({ state }) => state?.waiting?.reason ?? "");
  return status?.phase === "Pending" || reasons.some((reason) => reason.includes("Image"));
}
