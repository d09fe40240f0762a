import type { ApplyOptions, KubeObject, KubeQuery, KubeRef, LogQuery, PatchOperation } from "../../model/kubernetes.ts";

/** What switching plugins on needs of a cluster; kubectl fits. */
export interface PluginsPort {
  get<T>(ref: KubeRef, signal?: AbortSignal): Promise<T | undefined>;
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  apply(documents: readonly KubeObject[], options: ApplyOptions): Promise<void>;
  patch(ref: KubeRef, operations: readonly PatchOperation[], options: PatchOptions): Promise<boolean>;
  delete(ref: KubeRef, signal?: AbortSignal): Promise<void>;
  logs(query: LogQuery): Promise<string | undefined>;
  /** An API path, here a pod's metrics through the API server; `undefined` when it does not answer. */
  raw(path: string, signal?: AbortSignal): Promise<string | undefined>;
}

export interface PatchOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal | undefined;
}
