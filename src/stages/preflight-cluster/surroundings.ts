import type { Service } from "kubernetes-types/core/v1.js";
import { finding, type Finding } from "../../model/finding.ts";
import { nameOf, type KubeObject, fieldManager, groupOf, isBuiltInGroup } from "../../model/kubernetes.ts";
import { misplacedFields } from "../../model/rendered-object.ts";
import { isEnabled, type WasmPlugin } from "../../model/wasm-plugin.ts";
import type { ClusterPreflightInput } from "./input.ts";

const defaultClass = "storageclass.kubernetes.io/is-default-class";

/** Claims without a class want a default one; claims with one want that one. */
export function askStorage(classes: readonly KubeObject[], { render }: ClusterPreflightInput): readonly Finding[] {
  const names = new Set(classes.map(({ metadata }) => metadata.name));
  const hasDefault = classes.some(({ metadata }) => metadata.annotations?.[defaultClass] === "true");
  const unmet = render.filter((document) => {
    if (document.kind !== "PersistentVolumeClaim") return false;
    const { storageClassName: wanted } = (document["spec"] ?? {}) as { storageClassName?: string };
    return wanted === undefined || wanted === "" ? !hasDefault : !names.has(wanted);
  });
  if (unmet.length === 0) return [];
  const claims = unmet.map(({ metadata }) => metadata.name).join(", ");
  return [finding("error", "cluster.storage-class-missing", { claims })];
}

/** A LoadBalancer that somebody has got an address from shows that there is one who gives them. */
export function askLoadBalancer(services: readonly Service[], { render }: ClusterPreflightInput): readonly Finding[] {
  const wanted = render.find(
    (document) =>
      document.kind === "Service" && (document["spec"] as { type?: string } | undefined)?.type === "LoadBalancer",
  );
  const given = services.some(({ status }) => (status?.loadBalancer?.ingress?.length ?? 0) > 0);
  if (wanted === undefined || given) return [];
  return [finding("warning", "cluster.load-balancer-missing", { service: wanted.metadata.name })];
}

export function askIngressClasses(
  classes: readonly KubeObject[],
  { render }: ClusterPreflightInput,
): readonly Finding[] {
  const controllerOf = (one: KubeObject): string =>
    (one["spec"] as { controller?: string } | undefined)?.controller ?? "";
  return render
    .filter(({ kind }) => kind === "IngressClass")
    .flatMap((ours) => {
      const live = classes.find(({ metadata }) => metadata.name === ours.metadata.name);
      if (live === undefined || controllerOf(live) === controllerOf(ours)) return [];
      return [finding("error", "cluster.ingress-class", { name: live.metadata.name, controller: controllerOf(live) })];
    });
}

/** Another Istio or Higress reacts to the same objects. */
export function askOthers(workloads: readonly KubeObject[], { namespace }: ClusterPreflightInput): readonly Finding[] {
  return workloads
    .filter((one) => one.metadata.namespace !== namespace && ["istiod", "higress-controller"].includes(appOf(one)))
    .map((one) => finding("warning", "cluster.other-istio", { what: nameOf(one) }));
}

function appOf({ metadata }: KubeObject): string {
  return metadata.labels?.["app"] ?? metadata.name;
}

/** A leftover plugin that is on keeps every new gateway pod waiting for ever. */
export function askLeftovers(plugins: readonly WasmPlugin[], { isInside }: ClusterPreflightInput): readonly Finding[] {
  return plugins.flatMap((plugin) => {
    const url = plugin.spec?.url;
    if (url === undefined || isInside(url)) return [];
    const severity = isEnabled(plugin) ? "warning" : "note";
    return [finding(severity, "cluster.leftover-plugin", { name: plugin.metadata.name, url })];
  });
}

export async function askRelease(input: ClusterPreflightInput): Promise<readonly Finding[]> {
  const { pending = [], render, appliesOnServer } = input;
  const misplaced = misplacedFields(render);
  const isRefused = misplaced.length > 0 && (await appliesOnServer?.()) === true;
  return [
    ...(isRefused ? misplaced.map((each) => ({ ...each, severity: "error" as const })) : misplaced),
    ...pending.map((each) => finding("error", "cluster.release-pending", each)),
  ];
}

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
