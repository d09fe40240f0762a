import { finding, type Finding } from "../../model/finding.ts";
import { resourceOf, type KubeObject } from "../../model/kubernetes.ts";
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
