import type { ApplyOptions, KubeObject, KubeQuery, KubeRef, PatchOperation } from "../../model/kubernetes.ts";

/** What applying needs of a cluster; kubectl fits. */
export interface ClusterPort {
  get<T>(ref: KubeRef, signal?: AbortSignal): Promise<T | undefined>;
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  apply(documents: readonly KubeObject[] | string, options: ApplyOptions): Promise<void>;
  patch(ref: KubeRef, operations: readonly PatchOperation[], options: PatchOptions): Promise<boolean>;
  delete(ref: KubeRef, signal?: AbortSignal): Promise<void>;
  established(crds: readonly string[], seconds: number, signal?: AbortSignal): Promise<void>;
}

export interface PatchOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal | undefined;
}
