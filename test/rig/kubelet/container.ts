import type { Container, ContainerState, ContainerStatus } from "kubernetes-types/core/v1.js";

import type { Behaviour } from "./behaviour.ts";

/** How far the image of a container has come. */
export type ImageState =
  | { readonly kind: "waiting" }
  | { readonly kind: "failed"; readonly cause: string; readonly backingOff: boolean }
  | { readonly kind: "present"; readonly imageID: string };

/** A container's life so far; `observe` makes the next one from it. */
export interface ContainerLife {
  readonly spec: Container;
  readonly image: ImageState;
  readonly behaviour: Behaviour;
  readonly restarts: number;
  readonly state: ContainerState;
  readonly lastState: ContainerState;
  readonly ready: boolean;
  /** When it crashes the next time, for one that does. */
  readonly nextCrash?: number | undefined;
}

export interface Observation {
  readonly image: ImageState;
  readonly behaviour: Behaviour;
  /** Milliseconds, as of Date.now(). */
  readonly now: number;
  readonly restartPolicy: string;
  /** Initial pause between two crashes; doubles up to eight times as long. */
  readonly crashBackoff: number;
  /** Whether it is an init container that has to end before the others start. */
  readonly runsToEnd: boolean;
  readonly podName: string;
}

export function newborn(spec: Container, earlier: ContainerStatus | undefined): ContainerLife {
  return {
    spec,
    image: { kind: "waiting" },
    behaviour: { kind: "healthy" },
    // A kubelet that is started again finds the counts of the one before it.
    restarts: earlier?.restartCount ?? 0,
    state: earlier?.state ?? { waiting: { reason: "ContainerCreating" } },
    lastState: earlier?.lastState ?? {},
    ready: earlier?.ready ?? false,
  };
}

export function observe(life: ContainerLife, seen: Observation): ContainerLife {
  const { image, behaviour, restartPolicy, runsToEnd } = seen;
  const next = { ...life, image, behaviour, ready: false, nextCrash: undefined };
  const final = runsToEnd || restartPolicy !== "Always";
  if (life.state.terminated !== undefined && final) return { ...life, image, behaviour };
  if (image.kind !== "present") return { ...next, state: { waiting: withoutImage(life.spec.image ?? "", image) } };
  switch (behaviour.kind) {
    case "stuck": {
      const { reason, message = "" } = behaviour;
      return { ...next, state: { waiting: { reason, message } } };
    }
    case "crashes":
      return crashed(life, behaviour, seen);
    case "unready":
      return { ...next, state: running(life, seen.now) };
    case "healthy":
      if (!final) return { ...next, ready: true, state: running(life, seen.now) };
      return { ...next, ready: runsToEnd, state: { terminated: ended(0, "Completed", seen.now) } };
  }
}

function crashed(
  life: ContainerLife,
  behaviour: Extract<Behaviour, { kind: "crashes" }>,
  { image, now, restartPolicy, crashBackoff, podName }: Observation,
): ContainerLife {
  const waiting = life.nextCrash !== undefined && now < life.nextCrash;
  if (waiting) return { ...life, image, behaviour };
  const reason = behaviour.reason ?? "Error";
  const terminated = ended(behaviour.exitCode ?? (reason === "OOMKilled" ? 137 : 1), reason, now);
  if (restartPolicy === "Never") return { ...life, image, behaviour, ready: false, state: { terminated } };
  const pause = crashBackoff * 2 ** Math.min(life.restarts, 3);
  const message = `back-off ${String(pause / 1000)}s restarting failed container=${life.spec.name} pod=${podName}`;
  return {
    ...life,
    image,
    behaviour,
    ready: false,
    restarts: life.restarts + 1,
    state: { waiting: { reason: "CrashLoopBackOff", message } },
    lastState: { terminated },
    nextCrash: now + pause,
  };
}

function withoutImage(image: string, state: Exclude<ImageState, { kind: "present" }>) {
  if (state.kind === "waiting") return { reason: "ContainerCreating" };
  const { cause, backingOff } = state;
  // The kubelet alternates between the two; since 1.31 the second one repeats the cause.
  if (!backingOff) return { reason: "ErrImagePull", message: cause };
  return { reason: "ImagePullBackOff", message: `Back-off pulling image "${image}": ErrImagePull: ${cause}` };
}

function running(life: ContainerLife, now: number): ContainerState {
  return life.state.running === undefined ? { running: { startedAt: seconds(now) } } : life.state;
}

function ended(exitCode: number, reason: string, now: number) {
  const at = seconds(now);
  return { exitCode, reason, startedAt: at, finishedAt: at, containerID };
}

// `kubectl logs --previous` is refused for a terminated container without one.
const containerID = "containerd://0000";

/** Kubernetes keeps times to the second. */
export function seconds(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
}
