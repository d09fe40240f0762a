import type { Service } from "kubernetes-types/core/v1.js";
import { finding, type Finding } from "../../model/finding.ts";
import { nameOf, type KubeObject } from "../../model/kubernetes.ts";
import { isEnabled, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { misplacedFields } from "../../model/rendered-object.ts";
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
