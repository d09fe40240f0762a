import { containerd } from "./containerd.ts";
import { docker } from "./docker.ts";
import { k3s } from "./k3s.ts";
import { unreachable } from "../../std/unreachable.ts";

/** What runs containers on the nodes. */
export type Runtime = "containerd1" | "containerd2" | "docker" | "k3s" | "rke2";

export interface NodeConfigOptions {
  /** Host with an optional port, as references name it. */
  readonly host: string;
  readonly plainHttp: boolean;
  /** PEM of the CA that signed the registry's certificate; absent: a public one did. */
  readonly ca?: string | undefined;
  /** Do not verify. Loud, never the default. */
  readonly insecure: boolean;
}

export interface NodeFile {
  readonly path: string;
  readonly text: string;
  /** Octal, as chmod takes it. */
  readonly mode: number;
  /** The file may hold more than ours: `text` is to be merged into it, not written over it. */
  readonly merge: boolean;
}

/** Files for each node, and what to run there afterwards. No secrets: the cluster's pull secret has them. */
export interface NodeConfig {
  readonly files: readonly NodeFile[];
  readonly commands: readonly string[];
}

/** What a node needs so that it pulls from this registry (facts: harbor §8). */
export function nodeConfig(runtime: Runtime, options: NodeConfigOptions): NodeConfig {
  switch (runtime) {
    case "containerd1":
    case "containerd2":
      return containerd(runtime, options);
    case "docker":
      return docker(options);
    case "k3s":
    case "rke2":
      return k3s(runtime, options);
    default:
      return unreachable(runtime);
  }
}
