import type { KubeObject } from "./kubernetes.ts";
import type { ReleaseRef } from "./receipt.ts";
import type { Values } from "./values.ts";

/** An image as a workload names it, and what nodes made of that name. */
export interface RunningImage {
  readonly reference: string;
  /** Of the manifests or indexes that pods run; none where no node tells one. */
  readonly digests: readonly string[];
}

/** Why something that stands there is not taken. */
export type LeftOutReason =
  | "secret"
  | "secret-object"
  | "values-unknown"
  | "revision-undeployed"
  | "chart-unknown"
  | "plugin-unreachable"
  | "plugin-incomplete"
  | "image-moved"
  | "image-undigested"
  | "changed-by-hand"
  | "other-class"
  | "other-namespace"
  | "namespace";

export interface LeftOut {
  readonly reason: LeftOutReason;
  /** `WasmPlugin/higress-system/key-auth spec.defaultConfig.consumers`. */
  readonly where: string;
}

export type SnapshotQuestion = "release" | "chart" | "workloads" | "pods" | "nodes" | "plugins" | "configuration";

/** A Higress as it runs, without its secrets: what a spec can be made of. */
export interface ClusterSnapshot extends ReleaseRef {
  readonly chart: {
    readonly name: string;
    readonly version: string;
    /** Of helm's release; absent where there is none, or nobody may ask. */
    readonly revision?: number | undefined;
  };
  /** Who put it there, as far as that can be told. */
  readonly by: string;
  readonly values: Values;
  /** Absent where nobody may ask. */
  readonly kubeVersion?: string | undefined;
  /** Of the nodes; empty where nobody may ask. */
  readonly platforms: readonly string[];
  readonly images: readonly RunningImage[];
  /** WasmPlugins that can be applied as they are. */
  readonly plugins: readonly KubeObject[];
  /** WasmPlugins that lack a secret, and so would do something else. */
  readonly incompletePlugins: readonly KubeObject[];
  /** What the chart makes and people have changed, whole: helm's marks are on it, so that it can take the place of what an install made. */
  readonly settings: readonly KubeObject[];
  /** What else was made for it: routes, registries, settings. */
  readonly objects: readonly KubeObject[];
  /** Outside of the cluster, as plugins, registries and routes name them. */
  readonly hosts: readonly string[];
  readonly leftOut: readonly LeftOut[];
  readonly unread: readonly { readonly what: SnapshotQuestion; readonly why: string }[];
}
