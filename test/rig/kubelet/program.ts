import type { Container, Pod } from "kubernetes-types/core/v1.js";

import type { Behaviour } from "./behaviour.ts";

/** A real program behind a container: what it does is what the pod does. */
export interface Program {
  /** Asked at every heartbeat. A program that ended is ready to be started again. */
  behaviour(): Promise<Behaviour>;
  /** For the first time, and again after it has ended. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly lines: readonly string[];
  /** Of the run before this one. */
  readonly earlier: readonly string[];
  /** A Unix socket that speaks as a kubelet does of exec and port-forward. */
  readonly streams: string;
}

/** Undefined: nothing real runs in this container. */
export type ProgramOf = (pod: Pod, container: Container) => Program | undefined;
