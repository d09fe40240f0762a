import type { ContainerStatus, Pod, PodCondition, PodStatus } from "kubernetes-types/core/v1.js";

import { seconds, type ContainerLife } from "./container.ts";

export interface PodLife {
  readonly init: readonly ContainerLife[];
  readonly main: readonly ContainerLife[];
  readonly podIP: string;
  readonly now: number;
}

/** The status of a pod whose containers have come this far, as the kubelet would write it. */
export function podStatus(pod: Pod, { init, main, podIP, now }: PodLife): PodStatus {
  const initialized = init.every(({ ready }) => ready);
  const phase = phaseOf(init, main);
  const done = phase === "Succeeded";
  const unready = main.filter(({ ready }) => !ready).map(({ spec }) => spec.name);
  const ready = initialized && unready.length === 0;
  const condition = conditionsAfter(pod.status?.conditions ?? [], now);
  const containers = { reason: done ? "PodCompleted" : "ContainersNotReady", message: unreadyMessage(unready) };

  return {
    phase,
    hostIP: "127.0.0.1",
    hostIPs: [{ ip: "127.0.0.1" }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: pod.status?.startTime ?? seconds(now),
    conditions: [
      condition("Initialized", initialized, { reason: "ContainersNotInitialized" }),
      condition("Ready", ready, containers),
      condition("ContainersReady", ready, containers),
    ],
    ...(init.length > 0 && { initContainerStatuses: init.map((life) => containerStatus(life)) }),
    containerStatuses: main.map((life) => containerStatus(initialized ? life : held(life))),
  };
}

function phaseOf(init: readonly ContainerLife[], main: readonly ContainerLife[]): string {
  if (init.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0)) return "Failed";
  if (init.some(({ ready }) => !ready)) return "Pending";
  const ends = main.map(({ state }) => state.terminated?.exitCode);
  if (ends.every((code) => code !== undefined)) return ends.every((code) => code === 0) ? "Succeeded" : "Failed";
  // A pod stays Pending until each container has run once.
  const started = main.every(({ state, restarts }) => state.waiting === undefined || restarts > 0);
  return started ? "Running" : "Pending";
}

/** Main containers are not looked at before the init containers are done. */
function held(life: ContainerLife): ContainerLife {
  return { ...life, ready: false, state: { waiting: { reason: "PodInitializing" } } };
}

function containerStatus({ spec, image, restarts, state, lastState, ready }: ContainerLife): ContainerStatus {
  return {
    name: spec.name,
    image: spec.image ?? "",
    imageID: image.kind === "present" ? image.imageID : "",
    restartCount: restarts,
    ready,
    started: state.running !== undefined,
    state,
    lastState,
  };
}

function unreadyMessage(names: readonly string[]): string {
  return `containers with unready status: [${names.join(" ")}]`;
}

type Why = Pick<PodCondition, "reason" | "message">;

function conditionsAfter(earlier: readonly PodCondition[], now: number) {
  return (type: string, holds: boolean, why: Why): PodCondition => {
    const status = holds ? "True" : "False";
    const before = earlier.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : undefined;
    return { type, status, lastTransitionTime: lastTransitionTime ?? seconds(now), ...(holds ? {} : why) };
  };
}
