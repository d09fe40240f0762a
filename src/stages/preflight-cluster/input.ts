import type { ClusterQuestion } from "../../model/finding.ts";
import type { NewRelease } from "./owners.ts";
import type { ClusterPort, KubeObject } from "../../model/kubernetes.ts";

export interface PreflightInput {
  readonly namespace: string;
  readonly release: string;
  /** The documents that would be applied. */
  readonly render: readonly KubeObject[];
  /** Releases that are not there yet and take over nothing. */
  readonly newReleases?: readonly NewRelease[] | undefined;
  /** What stands there of the kinds that one of them would make. */
  readonly standing?: ((release: NewRelease) => Promise<readonly KubeObject[]>) | undefined;
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
  /** Whether helm will have the API server apply it: then an unknown field is refused. */
  readonly appliesOnServer?: (() => Promise<boolean>) | undefined;
  /** Told of each question that has nothing against the install. */
  readonly passed?: ((question: ClusterQuestion) => void) | undefined;
  readonly gatewayApi?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type PreflightPort = Pick<ClusterPort, "version" | "get" | "list" | "mayI">;
