import type { KubeQuery, LogQuery } from "../../model/kubernetes.ts";

/** What looking for a cause needs of a cluster; kubectl fits. */
export interface DoctorPort {
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  logs(query: LogQuery): Promise<string | undefined>;
  raw(path: string, signal?: AbortSignal): Promise<string | undefined>;
}
