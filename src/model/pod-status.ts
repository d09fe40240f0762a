import type { Container, ContainerStatus, Event as KubeEvent, Pod } from "kubernetes-types/core/v1.js";

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
}

export function restartsOf(pod: Pod): number {
  return statusesOf(pod).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

export function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

export function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** Events about this very pod, newest last; a namesake that lived before has another uid. */
export function eventsOf({ metadata }: Pod, events: readonly KubeEvent[]): readonly KubeEvent[] {
  return events
    .filter(({ involvedObject }) => involvedObject.uid !== undefined && involvedObject.uid === metadata?.uid)
    .sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
}

function timeOf({ lastTimestamp, eventTime, firstTimestamp }: KubeEvent): string {
  return lastTimestamp ?? eventTime ?? firstTimestamp ?? "";
}
