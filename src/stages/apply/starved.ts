import type { Pod } from "kubernetes-types/core/v1.js";
import type { ClusterPort } from "./ports.ts";

export interface StarvedInput {
  readonly namespace: string;
  readonly accounts: readonly string[];
  readonly secret: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes the pods of these accounts that wait for an image and were born without the secret: admission gives it to new
 * pods only. A pod that runs has its image, and is left alone.
 */
export async function restartStarved(input: StarvedInput, cluster: ClusterPort): Promise<readonly string[]> {
  const pods = await cluster.list<Pod>({ resource: "pods", namespace: input.namespace, signal: input.signal });
  const starved = pods.filter((pod) => isStarved(pod, input)).flatMap(({ metadata }) => metadata?.name ?? []);
  for (const name of starved)
    await cluster.delete({ resource: "pods", name, namespace: input.namespace }, input.signal);
  return starved;
}

function isStarved(pod: Pod, { accounts, secret }: StarvedInput): boolean {
  const born = pod.spec?.imagePullSecrets ?? [];
  const mine = accounts.includes(pod.spec?.serviceAccountName ?? "default");
  return mine && !born.some(({ name }) => name === secret) && waitsForImage(pod);
}

function waitsForImage({ status }: Pod): boolean {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const reasons = containers.map(({ state }) => state?.waiting?.reason ?? "");
  return status?.phase === "Pending" || reasons.some((reason) => reason.includes("Image"));
}
