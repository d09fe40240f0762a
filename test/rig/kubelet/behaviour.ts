import type { Pod } from "kubernetes-types/core/v1.js";

/** What a container does once its image is there. */
export type Behaviour =
  | { readonly kind: "healthy"; readonly logs?: readonly string[] }
  /** Starts, ends, and is started again after a growing pause: CrashLoopBackOff. */
  | {
      readonly kind: "crashes";
      /** 1 unless told; 137 for OOMKilled. */
      readonly exitCode?: number;
      readonly reason?: "Error" | "OOMKilled";
      readonly logs?: readonly string[];
    }
  /** Runs, and its readiness probe fails. */
  | { readonly kind: "unready"; readonly message?: string; readonly logs?: readonly string[] }
  /** Never gets as far as running: CreateContainerConfigError, InvalidImageName and the like. */
  | { readonly kind: "stuck"; readonly reason: string; readonly message?: string };

/** All that is given has to fit; nothing given fits every container. */
export interface PodSelector {
  readonly namespace?: string;
  /** The whole name, or the beginning that a Deployment gives all its pods when it ends in "-". */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly container?: string;
}

/** Asked again at every heartbeat, so it may look at the cluster; undefined leaves the container alone. */
export type BehaviourOf = (pod: Pod) => Behaviour | undefined | Promise<Behaviour | undefined>;

export interface Script {
  readonly selector: PodSelector;
  readonly behaviour: BehaviourOf;
}

const healthy: Behaviour = { kind: "healthy" };

/** The behaviour of the latest script that fits the container and has something to say. */
export async function scripted(scripts: readonly Script[], pod: Pod, container: string): Promise<Behaviour> {
  for (const { selector, behaviour } of scripts.toReversed()) {
    if (!selects(selector, pod, container)) continue;
    const chosen = await behaviour(pod);
    if (chosen !== undefined) return chosen;
  }
  return healthy;
}

function selects({ namespace, name, labels = {}, container }: PodSelector, { metadata }: Pod, of: string): boolean {
  const own = metadata?.name ?? "";
  return (
    (namespace === undefined || namespace === metadata?.namespace) &&
    (name === undefined || (name.endsWith("-") ? own.startsWith(name) : own === name)) &&
    (container === undefined || container === of) &&
    Object.entries(labels).every(([key, value]) => metadata?.labels?.[key] === value)
  );
}
