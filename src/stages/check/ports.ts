import type { KubeQuery } from "../../model/kubernetes.ts";

/** What checking needs of a cluster; kubectl fits. */
export interface CheckPort {
  list<T>(query: KubeQuery): Promise<readonly T[]>;
}
