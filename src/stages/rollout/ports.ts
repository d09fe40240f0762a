import type { KubeQuery, LogQuery } from "../../model/kubernetes.ts";

/** What watching a rollout needs of a cluster; kubectl fits. */
export interface RolloutPort {
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  logs(query: LogQuery): Promise<string | undefined>;
}
