import { groupOf, nameOf, type KubeObject } from "../../model/kubernetes.ts";
import { itemsAt, mapAt, podSpecOf, textAt, type RenderedObject } from "../../model/rendered-object.ts";
import { valueAt, type Values } from "../../model/values.ts";
import { abridged } from "../../std/abridged.ts";
import type { LeftOut, LeftOutReason } from "../../model/cluster-snapshot.ts";

/** API groups whose objects a Higress makes routes of; which kinds there are in them, the cluster says. */
export function isRoutingGroup(group: string): boolean {
  return /^(gateway|inference)\.networking\.(x-)?k8s\.io$|\.(istio|higress)\.io$/.test(group);
}

/** What a controller reads, by the flags that it runs with. */
export interface Watching {
  /** `""`: all. */
  readonly ingressClass: string;
  readonly gatewayClass: string;
  /** Ingresses of other namespaces are not read; `""`: those of all are. */
  readonly watchNamespace: string;
}

/**
 * https://github.com/alibaba/higress/blob/main/pkg/cmd/server.go: where no flag is seen, what the chart was told, and else
 * the default of both.
 */
export function watchingOf(workloads: readonly KubeObject[], values: Values): Watching {
  const args = workloads
    .flatMap((workload) => itemsAt(podSpecOf(workload)?.spec ?? {}, "containers"))
    .flatMap(({ args: of }) => (Array.isArray(of) ? of.filter((arg) => typeof arg === "string") : []));
  const told = (name: string): string | undefined => {
    const value = valueAt(values, ["global", name]);
    return (
      args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? (isText(value) ? value : undefined)
    );
  };
  return {
    ingressClass: told("ingressClass") ?? "higress",
    gatewayClass: told("gatewayClass") ?? "higress",
    watchNamespace: told("watchNamespace") ?? "",
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

export interface RouteScope {
  /** Of the release. */
  readonly namespace: string;
  readonly watching: Watching;
}

interface SortedRoutes {
  readonly taken: readonly KubeObject[];
  readonly leftOut: readonly LeftOut[];
}

/**
 * Of all that routes could be made of, what this Higress reads. Of the rest it is told how much there is: another
 * controller reads it, or nobody can tell. What has an owner is made anew by that.
 */
export function routesRead(all: readonly KubeObject[], scope: RouteScope): SortedRoutes {
  const written = all.filter(({ metadata }) => !Array.isArray(metadata["ownerReferences"]));
  const classed = gatewayApi(written, scope.watching);
  const taken: KubeObject[] = [];
  const others = new Map<string, KubeObject[]>();
  const pass = (reason: LeftOutReason, what: string, object: KubeObject): void => {
    const key = `${reason} ${what}`;
    others.set(key, [...(others.get(key) ?? []), object]);
  };
  for (const object of written) {
    const { kind, apiVersion, metadata } = object;
    const isHere = metadata.namespace === scope.namespace;
    if (kind === "Ingress") {
      if (readsIngress(object, scope.watching)) taken.push(object);
      else pass("other-class", `Ingress (${classOf(object) ?? "-"})`, object);
    } else if (groupOf(apiVersion).startsWith("gateway.")) {
      const read = classed.read.has(object) || (isHere && !classed.others.has(object));
      if (read) taken.push(object);
      else pass("other-class", kind, object);
    } else if (isHere) taken.push(object);
    // Of its own kinds Higress reads those of its namespace.
    else if (!groupOf(apiVersion).endsWith("higress.io")) pass("other-namespace", kind, object);
  }
  return { taken, leftOut: [...others].map(([key, objects]) => counted(key, objects)) };
}

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-ingress-class-deprecated */
function classOf({ metadata, ...object }: KubeObject): string | undefined {
  return metadata.annotations?.["kubernetes.io/ingress.class"] ?? textAt(mapAt(object, "spec"), "ingressClassName");
}

/** As its controller decides: https://github.com/alibaba/higress/blob/main/pkg/ingress/kube/ingressv1/controller.go */
function readsIngress(ingress: KubeObject, { ingressClass, watchNamespace }: Watching): boolean {
  if (watchNamespace !== "" && ingress.metadata.namespace !== watchNamespace) return false;
  const written = classOf(ingress) ?? "";
  if (ingressClass === "nginx" && written === "") return true;
  return ingressClass === "" || written === ingressClass;
}

/** https://github.com/alibaba/higress/blob/main/pkg/config/constants/constants.go; a class of another name is behind it. */
const controller = /^higress\.io\/gateway-controller(-|$)/;

interface ClassedObjects {
  readonly read: ReadonlySet<KubeObject>;
  /** Of another class, or referring to such a Gateway only. */
  readonly others: ReadonlySet<KubeObject>;
}

/**
 * Of the Gateway API, what hangs from a Gateway of our class, over as many hops as there are: routes by `parentRefs`,
 * policies by `targetRefs`, grants by whom they let in.
 */
function gatewayApi(objects: readonly KubeObject[], { gatewayClass }: Watching): ClassedObjects {
  const api = objects.filter(({ apiVersion }) => groupOf(apiVersion).startsWith("gateway."));
  const classes = api.filter(({ kind }) => kind === "GatewayClass");
  const ours = classes.filter((each) => controller.test(textAt(mapAt(each, "spec"), "controllerName") ?? ""));
  const names = new Set(classes.length > 0 ? ours.map(({ metadata }) => metadata.name) : [gatewayClass]);
  const gateways = api.filter(({ kind }) => kind === "Gateway");
  const isOurs = (gateway: KubeObject): boolean => names.has(textAt(mapAt(gateway, "spec"), "gatewayClassName") ?? "");
  const read = reachedFrom([...ours, ...gateways.filter(isOurs)], api);
  const foreign = [...classes.filter((each) => !ours.includes(each)), ...gateways.filter((each) => !isOurs(each))];
  const others = reachedFrom(foreign, api);
  return { read, others: new Set([...others].filter((object) => !read.has(object))) };
}

function reachedFrom(roots: readonly KubeObject[], all: readonly KubeObject[]): ReadonlySet<KubeObject> {
  const found = new Set(roots);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const names = new Set([...found].map((each) => `${each.kind} ${nameOf(each)}`));
    const places = new Set([...found].map((each) => `${each.kind} ${each.metadata.namespace ?? ""}`));
    for (const object of all)
      if (refersTo(object).some((name) => names.has(name)) || letsIn(object).some((place) => places.has(place)))
        found.add(object);
  }
  return found;
}

/** https://gateway-api.sigs.k8s.io/reference/spec/: without a kind a parent is a Gateway, without a namespace one of its own. */
function refersTo({ metadata, ...object }: KubeObject): readonly string[] {
  const spec = mapAt(object, "spec");
  const single = ["parentRef", "targetRef"].map((key) => mapAt(spec, key));
  const refs = [...itemsAt(spec, "parentRefs"), ...itemsAt(spec, "targetRefs"), ...single];
  return refs.flatMap((ref) => {
    const name = textAt(ref, "name");
    const namespace = textAt(ref, "namespace") ?? metadata.namespace;
    return name === undefined
      ? []
      : [`${textAt(ref, "kind") ?? "Gateway"} ${nameOf({ metadata: { name, namespace } })}`];
  });
}

function letsIn(object: KubeObject): readonly string[] {
  if (object.kind !== "ReferenceGrant") return [];
  const from: readonly RenderedObject[] = itemsAt(mapAt(object, "spec"), "from");
  return from.map((each) => `${textAt(each, "kind") ?? ""} ${textAt(each, "namespace") ?? ""}`);
}

/** Enough of them to know which are meant. */
const shown = 10;

function counted(key: string, objects: readonly KubeObject[]): LeftOut {
  const [reason = "", ...what] = key.split(" ");
  const names = abridged(objects.map(nameOf), shown);
  return { reason: reason as LeftOutReason, where: `${what.join(" ")} × ${objects.length}: ${names}` };
}

/** Namespaces of what is applied after an install: none of it makes one. */
export function namespacesOf(objects: readonly KubeObject[], but: string): readonly string[] {
  const names = objects.flatMap(({ metadata }) => metadata.namespace ?? []);
  return [...new Set(names)].filter((name) => name !== but).sort();
}
