import type { KubeObject, KubeQuery, KubeRef, Permission } from "../../model/kubernetes.ts";

export interface PreflightInput {
  readonly namespace: string;
  readonly release: string;
  /** The documents that would be applied. */
  readonly render: readonly KubeObject[];
  /** The CRDs that would be applied. */
  readonly crds: readonly KubeObject[];
  /** linux/amd64, … that every image is carried for. */
  readonly platforms: readonly string[];
  /** Unpacked size in bytes of each plugin that is switched on. */
  readonly plugins?: readonly { readonly name: string; readonly bytes: number }[] | undefined;
  /** Does the gateway get at this URL from here? */
  readonly isInside: (url: string) => boolean;
  /** Helm's word on the release, when there is one: deployed, failed, pending-upgrade. */
  readonly releaseStatus?: string | undefined;
  readonly gatewayApi?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What asking a cluster beforehand needs; kubectl fits. */
export interface PreflightPort {
  version(signal?: AbortSignal): Promise<{ readonly client: string; readonly server: string }>;
  get<T>(ref: KubeRef, signal?: AbortSignal): Promise<T | undefined>;
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  mayI(permissions: readonly Permission[], signal?: AbortSignal): Promise<readonly boolean[]>;
}
