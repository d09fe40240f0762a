import { finding, type Finding } from "../../model/finding.ts";
import { fieldManager, groupOf, isBuiltInGroup, type KubeObject } from "../../model/kubernetes.ts";
import type { ClusterPreflightInput } from "./input.ts";

export interface LiveCrd extends KubeObject {
  readonly spec?: {
    readonly group?: string;
    readonly names?: { readonly kind?: string };
    readonly versions?: readonly { readonly name: string; readonly served?: boolean }[];
  };
  readonly status?: { readonly storedVersions?: readonly string[] };
}

/** The Gateway API is not in the chart, though it is on by default since 2.2.0. */
const gatewayApiCrds = ["gatewayclasses", "gateways", "httproutes", "referencegrants"].map(
  (plural) => `${plural}.gateway.networking.k8s.io`,
);

/** Who else says what the CRDs are, and whether objects are stored in a version that the new ones do not have. */
export function askCrds(live: readonly LiveCrd[], input: ClusterPreflightInput): readonly Finding[] {
  const byName = new Map(live.map((crd) => [crd.metadata.name, crd]));
  const foreign = input.crds.flatMap((wanted) => {
    const found = byName.get(wanted.metadata.name);
    return found === undefined ? [] : compare(wanted, found, input.release);
  });
  const missing = input.gatewayApi === true ? gatewayApiCrds.filter((crd) => !byName.has(crd)) : [];
  return [
    ...foreign,
    ...missing.map((crd) => finding("warning", "cluster.crd-missing", { crd })),
    ...unknownKinds(input.render, [...live, ...input.crds]),
  ];
}

/** Helm refuses a release with one object of a kind that the cluster does not know, long after the push. */
function unknownKinds(render: readonly KubeObject[], crds: readonly LiveCrd[]): readonly Finding[] {
  const known = new Set(
    crds.flatMap(({ spec: { group = "", names, versions = [] } = {} }) =>
      versions.filter(({ served }) => served !== false).map(({ name }) => `${names?.kind ?? ""} ${group}/${name}`),
    ),
  );
  const unknown = new Map<string, string[]>();
  for (const { apiVersion, kind, metadata } of render) {
    const named = `${kind} ${apiVersion}`;
    if (!isBuiltInGroup(groupOf(apiVersion)) && !known.has(named))
      unknown.set(named, [...(unknown.get(named) ?? []), metadata.name]);
  }
  return [...unknown].map(([kind, objects]) =>
    finding("error", "cluster.kind-unknown", { kind, objects: objects.slice(0, 5).join(", ") }),
  );
}

function compare(wanted: LiveCrd, found: LiveCrd, release: string): readonly Finding[] {
  const crd = found.metadata.name;
  const known = new Set((wanted.spec?.versions ?? []).map(({ name }) => name));
  const lost = (found.status?.storedVersions ?? []).filter((version) => !known.has(version));
  if (lost.length > 0) return [finding("error", "cluster.crd-foreign", { crd, owner: `stored ${lost.join(", ")}` })];
  const owner = ownerOf(found, release);
  return owner === undefined ? [] : [finding("warning", "cluster.crd-foreign", { crd, owner })];
}

/** helm and we are expected; a GitOps controller or another release would take the CRD back. */
function ownerOf({ metadata }: LiveCrd, release: string): string | undefined {
  const other = metadata.annotations?.["meta.helm.sh/release-name"];
  if (other !== undefined && other !== release) return `helm ${other}`;
  const managers = (metadata["managedFields"] ?? []) as readonly { manager?: string; subresource?: string }[];
  const expected = new Set([fieldManager, "helm", "kube-apiserver", "kubectl-client-side-apply", "kubectl"]);
  return managers.find(({ manager = "", subresource }) => subresource === undefined && !expected.has(manager))?.manager;
}
