import { finding, type Finding } from "../../model/finding.ts";
import {
  identityOf,
  imagesOf,
  itemsAt,
  podSpecOf,
  renderedObjects,
  textAt,
  type RenderedObject,
} from "../../model/rendered-object.ts";

/** A workload whose pods would pull without credentials, and the ServiceAccount that could give them some. */
export interface WorkloadWithoutPullSecret {
  readonly workload: string;
  readonly namespace: string | undefined;
  readonly account: string;
}

/**
 * The chart has a key for some components' pull secrets and none for others (facts: grafana, loki, prometheus,
 * cert-manager). A secret on the ServiceAccount reaches those: admission copies it into every new pod.
 */
export function workloadsWithoutPullSecret(manifest: string): readonly WorkloadWithoutPullSecret[] {
  const objects = renderedObjects(manifest);
  const covered = new Set(objects.filter(isCoveringAccount).map(accountKey));
  return objects.flatMap((object) => {
    const pod = podSpecOf(object);
    if (pod === undefined || imagesOf(object).length === 0 || itemsAt(pod.spec, "imagePullSecrets").length > 0)
      return [];
    const { kind, name, namespace } = identityOf(object);
    const account = textAt(pod.spec, "serviceAccountName") ?? textAt(pod.spec, "serviceAccount") ?? "default";
    return covered.has(`${namespace ?? ""}/${account}`) ? [] : [{ workload: `${kind}/${name}`, namespace, account }];
  });
}

function isCoveringAccount(object: RenderedObject): boolean {
  return textAt(object, "kind") === "ServiceAccount" && itemsAt(object, "imagePullSecrets").length > 0;
}

function accountKey(object: RenderedObject): string {
  const { name, namespace } = identityOf(object);
  return `${namespace ?? ""}/${name}`;
}

export function pullSecretFindings(workloads: readonly WorkloadWithoutPullSecret[]): readonly Finding[] {
  return workloads.map(({ workload, account }) => finding("warning", "workload.no-pull-secret", { workload, account }));
}
