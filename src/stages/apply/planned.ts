import type { KubeObject } from "../../model/kubernetes.ts";
import { caConfigMap, caOverlay, namespaceObject, serviceAccountPatch, type TrustTarget } from "./objects.ts";

export interface RenderedName {
  readonly kind: string;
  readonly name: string;
  /** Of helm, that makes it. */
  readonly release: string;
}

export interface PlanInput {
  readonly namespace: string;
  readonly ca?: string | undefined;
  /** Name of the pull secret; its content is nobody's to write down. */
  readonly pullSecret?: string | undefined;
  readonly trust: readonly TrustTarget[];
  readonly serviceAccounts: readonly string[];
  /** What helm will make: an overlay lies only over what is there. */
  readonly rendered: readonly RenderedName[];
}

export interface PlannedObjects {
  readonly namespace: readonly KubeObject[];
  /** Before helm. */
  readonly before: readonly KubeObject[];
  /** After helm, with a field manager of our own. */
  readonly overlay: readonly KubeObject[];
}

/** The objects that `prepareCluster` and `overlayCluster` apply, told without a cluster: for people who apply them themselves. */
export function planObjects(input: PlanInput): PlannedObjects {
  const { namespace, ca, pullSecret, rendered } = input;
  const found = (kind: string, name: string): RenderedName | undefined =>
    rendered.find((one) => one.kind === kind && one.name === name);
  const patches = input.serviceAccounts.flatMap((name): readonly KubeObject[] => {
    const account = found("ServiceAccount", name);
    if (pullSecret === undefined || (account === undefined && name !== "default")) return [];
    return [adoptable(serviceAccountPatch(namespace, name, pullSecret), account?.release)];
  });
  const targets = input.trust.flatMap(({ name, container }) =>
    (["Deployment", "DaemonSet"] as const)
      .filter((kind) => found(kind, name) !== undefined)
      .map((kind) => ({ kind, name, container })),
  );
  return {
    namespace: [namespaceObject(namespace)],
    before: [...(ca === undefined ? [] : [caConfigMap(namespace, ca)]), ...patches],
    overlay: ca === undefined ? [] : targets.map((target) => caOverlay(namespace, target, ca)),
  };
}

/**
 * An install gives accounts the secret while helm runs, and starts what was born too early anew; who applies files cannot,
 * so the accounts come first. With these marks helm takes them for its own.
 */
function adoptable(account: KubeObject, release: string | undefined): KubeObject {
  if (release === undefined) return account;
  const { metadata } = account;
  const annotations = {
    "meta.helm.sh/release-name": release,
    "meta.helm.sh/release-namespace": metadata.namespace ?? "",
  };
  return { ...account, metadata: { ...metadata, labels: { "app.kubernetes.io/managed-by": "Helm" }, annotations } };
}
