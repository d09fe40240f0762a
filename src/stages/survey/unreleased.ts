import { resourceOf, type KubeObject } from "../../model/kubernetes.ts";
import { isMap } from "../../model/rendered-object.ts";
import { isValues, mergeValues, nest, splitPath, valueAt, type Values } from "../../model/values.ts";
import { loadTyped, YamlError } from "../../std/yaml.ts";
import { liveFields, nothing, type LiveField } from "./live-fields.ts";

/** Who put objects there that no release owns, as far as they tell. */
type AppliedBy = "hgctl" | "kubectl apply" | "Argo CD" | "Flux";

/** Objects of a chart that stand without a release: helm refuses them until it is told to own them. */
export interface UnreleasedObjects {
  readonly by: AppliedBy;
  /** Of the chart they were made of, where they tell it. */
  readonly version: string;
  /** What was set for them; `undefined` where nobody wrote it down. */
  readonly values: Values | undefined;
  /** As they stand, without what the API server adds: a chart of them changes nothing. */
  readonly objects: readonly KubeObject[];
  /** What they have that an install would not leave them, field by field. */
  readonly changes: readonly LiveField[];
}

interface UnreleasedInput {
  /** The chart's name. */
  readonly chart: string;
  readonly namespace: string;
  /** Without the relocation: that references point elsewhere is what the install is for. */
  readonly rendered: readonly KubeObject[];
  /** Objects of the kinds that are rendered, where they are rendered. */
  readonly live: readonly KubeObject[];
}

/** `undefined` where no workload of the chart stands without a release. */
export function unreleasedObjects(input: UnreleasedInput): UnreleasedObjects | undefined {
  const { chart, namespace, live, rendered } = input;
  const wanted = new Map(rendered.filter(isNoHook).map((object) => [keyOf(object, namespace), object]));
  const free = live.filter(isUnreleased);
  if (!free.some((object) => isWorkload(object) && wanted.has(keyOf(object, namespace)))) return undefined;
  const ours = free.filter((object) => wanted.has(keyOf(object, namespace)) || isOfChart(object, chart));
  return {
    ...toldOf(chart, ours, live),
    objects: ours.map(asWritten),
    changes: ours.flatMap((object) => {
      const document = wanted.get(keyOf(object, namespace));
      return document === undefined ? [] : liveFields(document, object).filter(({ live }) => live !== nothing);
    }),
  };
}

type ToldOfChart = Pick<UnreleasedObjects, "by" | "version" | "values">;

/** What objects without a release tell of the chart that they were made of, as far as they do. */
export function unreleasedChart(live: readonly KubeObject[], chart: string): ToldOfChart | undefined {
  const free = live.filter(isUnreleased);
  return free.some(isWorkload) ? toldOf(chart, free, live) : undefined;
}

/** What hgctl wrote down is the better witness; it stands among all that is there, whoever made it. */
function toldOf(chart: string, ours: readonly KubeObject[], live: readonly KubeObject[]): ToldOfChart {
  const profile = readProfile(live.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === profileName));
  const by = profile === undefined ? appliedBy(ours) : "hgctl";
  return { by, version: profile?.version ?? versionOf(ours, chart), values: profile?.values };
}

/** How the live object of a document differs from it; one that is gone is helm's to make again. */
export function changesOf(document: KubeObject, live: readonly KubeObject[], namespace: string): readonly LiveField[] {
  const key = keyOf(document, namespace);
  const found = live.find((object) => keyOf(object, namespace) === key);
  return found === undefined ? [] : liveFields(document, found);
}

const workloads: ReadonlySet<string> = new Set(["Deployment", "DaemonSet", "StatefulSet"]);

function isWorkload({ kind }: Pick<KubeObject, "kind">): boolean {
  return workloads.has(kind);
}

/** By Helm's own marks: https://helm.sh/docs/faq/changes_since_helm2/#improved-upgrade-strategy-3-way-strategic-merge-patches */
export function isUnreleased({ metadata }: KubeObject): boolean {
  return metadata.annotations?.["meta.helm.sh/release-name"] === undefined && isNoHook({ metadata });
}

function isNoHook({ metadata }: Pick<KubeObject, "metadata">): boolean {
  return metadata.annotations?.["helm.sh/hook"] === undefined;
}

/** What an older version of the chart made, and the new one makes no more. Data stays where it is. */
function isOfChart({ kind, metadata }: KubeObject, chart: string): boolean {
  return kind !== "PersistentVolumeClaim" && metadata.labels?.["helm.sh/chart"]?.startsWith(`${chart}-`) === true;
}

function keyOf(object: KubeObject, namespace: string): string {
  const { metadata } = object;
  return `${resourceOf(object)} ${isClusterWide(object) ? "" : (metadata.namespace ?? namespace)} ${metadata.name}`;
}

/** The API server gives every object of a namespace its namespace; a template may leave it to helm. */
const clusterWide = /^(Cluster.*|IngressClass|GatewayClass|.*WebhookConfiguration|CustomResourceDefinition)$/;

function isClusterWide({ kind }: KubeObject): boolean {
  return clusterWide.test(kind);
}

/** https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/, https://fluxcd.io/flux/components/kustomize/kustomizations/ */
function appliedBy(objects: readonly KubeObject[]): AppliedBy {
  const marks = objects.flatMap(({ metadata: { labels = {}, annotations = {} } }) => [
    ...Object.keys(labels),
    ...Object.keys(annotations),
  ]);
  if (marks.some((mark) => mark.startsWith("argocd.argoproj.io/"))) return "Argo CD";
  return marks.some((mark) => mark.startsWith("kustomize.toolkit.fluxcd.io/")) ? "Flux" : "kubectl apply";
}

/** `higress-core-2.0.7` of a label; helm wants a version for every chart. */
export function versionOf(objects: readonly KubeObject[], chart: string): string {
  const labels = objects.flatMap(({ metadata }) => metadata.labels?.["helm.sh/chart"] ?? []);
  const versions = labels
    .filter((label) => label.startsWith(`${chart}-`))
    .map((label) => /-v?(\d+\.\d+\.\d+\S*)$/.exec(label)?.[1]);
  return versions.find((version) => version !== undefined) ?? "0.0.0";
}

const bookkeeping =
  /^(kubectl\.kubernetes\.io\/last-applied-configuration|deployment\.kubernetes\.io\/revision|objectset\.rio\.cattle\.io\/.*|kapp\.k14s\.io\/original.*)$/;

/** Without what the API server, kubectl, Rancher and kapp add. */
export function asWritten(object: KubeObject): KubeObject {
  const { name, namespace, labels, annotations = {} } = object.metadata;
  const own = Object.fromEntries(Object.entries(annotations).filter(([key]) => !bookkeeping.test(key)));
  const rest = Object.fromEntries(Object.entries(object).filter(([key]) => key !== "status"));
  return {
    ...(rest as KubeObject),
    ...(isMap(rest["spec"]) ? { spec: specOf(object.kind, rest["spec"]) } : {}),
    metadata: { name, namespace, labels, annotations: own },
  };
}

/** Addresses are given by the API server, and can never be set to others. */
function specOf(kind: string, spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (kind !== "Service" || spec["clusterIP"] === "None") return spec;
  return Object.fromEntries(Object.entries(spec).filter(([key]) => key !== "clusterIP" && key !== "clusterIPs"));
}

/** Where hgctl writes down what it has installed: https://github.com/alibaba/higress/tree/main/hgctl/pkg/installer */
const profileName = "higress-profile";

/** What hgctl says of its install. */
interface HgctlProfile {
  /** Of the chart; `latest` is none. */
  readonly version: string | undefined;
  readonly values: Values;
}

/**
 * Members of the profile that hgctl hands to the chart, and where. What it says under `values` wins over all of them.
 * hgctl sets the switches always, and leaves those that are off out of what it writes (`omitempty`), though the chart has
 * some of them on: https://github.com/alibaba/higress/blob/main/hgctl/pkg/helm/profile.go
 */
const members: readonly (readonly [from: string, to: string, absent?: false])[] = [
  ["global.ingressClass", "global.ingressClass"],
  ["global.enableIstioAPI", "global.enableIstioAPI", false],
  ["global.enableGatewayAPI", "global.enableGatewayAPI", false],
  ["console.replicas", "higress-console.replicaCount"],
  ["console.o11YEnabled", "higress-console.o11y.enabled", false],
  ["console.resources", "higress-console.resources"],
  ["gateway.replicas", "higress-core.gateway.replicas"],
  ["gateway.resources", "higress-core.gateway.resources"],
  ["controller.replicas", "higress-core.controller.replicas"],
  ["controller.resources", "higress-core.controller.resources"],
];

/** `undefined` for a ConfigMap that is no profile. */
function readProfile(configMap: KubeObject | undefined): HgctlProfile | undefined {
  const text = valueAt(configMap?.["data"], ["profile"]);
  if (typeof text !== "string") return undefined;
  const profile = documentIn(text);
  if (profile === undefined) return undefined;
  const { higressVersion, values } = profile;
  const set = members.flatMap(([from, to, absent]) => {
    const value = valueAt(profile, splitPath(from)) ?? absent;
    return value === undefined ? [] : [nest(splitPath(to), value)];
  });
  const local = valueAt(profile, ["global", "install"]) === "local-k8s" ? [nest(["global", "local"], true)] : [];
  return {
    version: typeof higressVersion === "string" && /^v?\d/.test(higressVersion) ? higressVersion : undefined,
    values: mergeValues(...set, ...local, isValues(values) ? values : {}),
  };
}

function documentIn(text: string): Values | undefined {
  try {
    return loadTyped(text).find(isValues);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return undefined;
  }
}
