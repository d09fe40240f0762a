import { finding, type Finding, type ClusterQuestion } from "../../model/finding.ts";
import type { StuckRelease } from "../../model/helm.ts";
import { resourceOf, type KubeObject, type ClusterPort } from "../../model/kubernetes.ts";
import { whereOf } from "../../model/rendered-object.ts";

/** A release that is not there yet, and what it would make. */
export interface NewRelease {
  readonly release: string;
  readonly namespace: string;
  readonly render: readonly KubeObject[];
}

/**
 * Helm makes no object that is there already and is not marked as its own
 * (https://helm.sh/docs/faq/changes_since_helm2/), and says so only after everything was pushed. One finding for each owner.
 */
export function askOwners(
  { release, namespace, render }: NewRelease,
  standing: readonly KubeObject[],
): readonly Finding[] {
  const byKey = new Map(standing.map((object) => [keyOf(object), object]));
  const owned = new Map<string, string[]>();
  for (const document of render.filter(isNoHook)) {
    // What belongs to no namespace says none, and a template may leave its own to helm.
    const found = byKey.get(keyOf(document)) ?? byKey.get(keyOf(document, namespace));
    const owner = found === undefined ? undefined : ownerOf(found);
    if (owner === undefined || owner === `${namespace}/${release}`) continue;
    owned.set(owner, [...(owned.get(owner) ?? []), whereOf(document)]);
  }
  return [...owned].map(([owner, objects]) =>
    finding("error", "cluster.object-foreign", { objects: objects.slice(0, 20).join(", "), owner, release, namespace }),
  );
}

/** `namespace/release`; empty for what is nobody's. */
function ownerOf({ metadata: { annotations = {}, labels = {} } }: KubeObject): string {
  const { "meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace = "" } = annotations;
  return release === undefined || labels["app.kubernetes.io/managed-by"] !== "Helm" ? "" : `${namespace}/${release}`;
}

function isNoHook({ metadata }: KubeObject): boolean {
  return metadata.annotations?.["helm.sh/hook"] === undefined;
}

function keyOf(object: KubeObject, namespace = object.metadata.namespace ?? ""): string {
  return `${resourceOf(object)} ${namespace} ${object.metadata.name}`;
}

export interface ClusterPreflightInput {
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
  /** Releases of the plan that are `pending-…`. */
  readonly pending?: readonly StuckRelease[] | undefined;
  /** Whether helm will have the API server apply it: then an unknown field is refused. */
  readonly appliesOnServer?: (() => Promise<boolean>) | undefined;
  /** Told of each question that has nothing against the install. */
  readonly passed?: ((question: ClusterQuestion) => void) | undefined;
  readonly gatewayApi?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type PreflightPort = Pick<ClusterPort, "version" | "get" | "list" | "mayI">;
