import type { KubeQuery, KubeRef, Permission } from "../../model/kubernetes.ts";

/** What asking a cluster beforehand needs; kubectl fits. */
export interface PreflightPort {
  version(signal?: AbortSignal): Promise<{ readonly client: string; readonly server: string }>;
  get<T>(ref: KubeRef, signal?: AbortSignal): Promise<T | undefined>;
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  mayI(permissions: readonly Permission[], signal?: AbortSignal): Promise<readonly boolean[]>;
}
