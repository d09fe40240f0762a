import * as z from "zod";
import type { LockItem } from "./lock.ts";
import { ChartName, ChartVersion, ObjectName, SettingPath } from "./names.ts";
import type { Reference } from "./reference.ts";
import { urlPatternVariable } from "./url-pattern.ts";

export const Setting = z.strictObject({
  path: SettingPath.describe("Values path; a dot inside a key is written \\."),
  value: z
    .unknown()
    .describe(
      "Any value; in strings {prefix}, {registry}, {project}, {namespace}, {pullSecret}, {pluginServer}, {plugin:NAME} are filled in",
    ),
  moves: z.array(z.string()).optional().describe("What it was seen to move when the map was learned"),
});

/** A container of a workload that is told by its name. */
export const WorkloadContainer = z.strictObject({
  kind: z.enum(["Deployment", "DaemonSet", "StatefulSet"]),
  name: ObjectName,
  container: ObjectName,
});

const ObjectPath = {
  kind: z.string().min(1),
  name: z
    .string()
    .min(1)
    .describe("metadata.name; {release} stands for the name of the release, * for any object of the kind"),
  path: z
    .string()
    .startsWith("/")
    .describe("JSON pointer to a string; * is any entry of a list, ! enters a document inside the string"),
};

/** What no value of the chart reaches is replaced after helm has rendered, and before it applies. */
const Patch = z.strictObject({
  ...ObjectPath,
  from: z.string().min(1).max(2000).describe("What stands in the string"),
  to: z.string().min(1).max(2000).describe("What is written in its place; placeholders as in values"),
});
export interface Patch extends z.output<typeof Patch> {}

/** What points outside and may: somebody has decided so, and the proof prints why. */
const Exception = z.strictObject({
  ...ObjectPath,
  value: z.string().min(1).describe("What stands there; anything else is a finding again"),
  reason: z.string().min(1),
});
export interface Exception extends z.output<typeof Exception> {}

/** Is this reference (`where` is kind/namespace/name) the one that an exception means? */
export function isException(
  reference: { readonly where: string; readonly path: string; readonly value: string },
  { path, value, ...named }: Omit<Exception, "reason">,
): boolean {
  const [kind = "", ...names] = reference.where.split("/");
  return (
    isNamed({ kind, name: names.at(-1) ?? "" }, named) &&
    reference.value === value &&
    (reference.path === path || anyEntry(reference.path) === path)
  );
}

/** A patch of the map means what stands there, and was not applied: helm did not hand the object to us. */
export function isUnpatched(reference: Parameters<typeof isException>[0], patches: readonly Patch[]): boolean {
  return patches.some(({ from, ...patch }) => isException(reference, { ...patch, value: from }));
}

/** Does a map mean this object, by the name that is written or as any of its kind? */
export function isNamed(
  object: { readonly kind: string; readonly name: string },
  { kind, name }: { readonly kind: string; readonly name: string },
): boolean {
  return object.kind === kind && (name === "*" || object.name === name);
}

/** Which entry of a list it is depends on what else is on. Documents inside strings keep their numbers: nobody walks them. */
export function anyEntry(path: string): string {
  const [outer = "", ...inner] = path.split("!");
  return [outer.replaceAll(/\/\d+(?=\/|$)/g, "/*"), ...inner].join("!");
}

/** Which values of one chart version move which reference: data, because it changes with every release. */
export const RelocationMap = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("RelocationMap"),
  chart: ChartName,
  version: ChartVersion,
  gateway: z.string().optional().describe("Of older maps; gateways.yaml says it by ranges of versions"),
  images: z
    .array(Setting)
    .describe("Moves images: {prefix} is the registry and project that everything is pushed under"),
  pullSecrets: z.array(Setting).default([]).describe("Set when the registry wants credentials"),
  offline: z.array(Setting).default([]).describe("Set on every install without internet"),
  plugins: z
    .strictObject({ oci: z.array(Setting).default([]), http: z.array(Setting).default([]) })
    .prefault({})
    .describe("Tells console and controller where plugins are"),
  trust: z
    .array(WorkloadContainer.extend({ kind: z.enum(["Deployment", "DaemonSet"]) }))
    .default([])
    .describe("Workloads that fetch by themselves and so need the registry's CA"),
  console: WorkloadContainer.optional().describe(
    "The container whose image is searched for the plugins that it can name",
  ),
  patches: z.array(Patch).default([]).describe("What no value reaches, replaced in the rendered objects"),
  exceptions: z.array(Exception).default([]).describe("What may stay outside, each with its reason"),
  features: z
    .array(z.strictObject({ switches: z.array(z.string()), references: z.array(z.string()) }))
    .default([])
    .describe("What is named only when these values are switched the other way; your values decide what is carried"),
});
export interface WorkloadContainer extends z.output<typeof WorkloadContainer> {}
export interface RelocationMap extends z.output<typeof RelocationMap> {}
export interface Setting extends z.output<typeof Setting> {}

/** The patterns that consoles will make plugin URLs of when plugins come from the registry. */
export function ociPatterns({ plugins }: RelocationMap): readonly string[] {
  return plugins.oci.flatMap(({ path, value }) =>
    path.endsWith(`.${urlPatternVariable}`) && typeof value === "string" ? [value] : [],
  );
}

/**
 * One `-f` of helm: an object of ours, or the text of a file that somebody wrote. Text stays text, since helm reads YAML 1.1
 * and what it makes of `on`, `yes` and `0777` is not for us to say.
 */
export type ValuesLayer = Readonly<Record<string, unknown>> | string;

/** A layer of the site's own values. */
export interface OwnValues {
  /** Where they are written: a file, a key of the site file, `--set`. */
  readonly from: string;
  readonly layer: ValuesLayer;
  /** The only release that they are laid over. @default every one */
  readonly release?: string | undefined;
}

/** What the placeholders of a map become on one site. */
export interface RelocationTarget {
  readonly registry: string;
  readonly project: string;
  readonly prefix: string;
  readonly namespace: string;
  readonly pullSecret?: string | undefined;
  /** Of http mode: what stands before `/plugins/<name>/<version>/plugin.wasm`. */
  readonly pluginServer?: string | undefined;
  /** Plugin name to the URL that it has on this site. */
  readonly plugins: ReadonlyMap<string, string>;
}

/** Where one item goes: `targets[0]` is its own name, the others are its aliases. Each carries a tag, never a digest. */
export interface Mapped {
  readonly item: LockItem;
  readonly targets: readonly Reference[];
}

/** The first segment of a path on the target: what Harbor calls a project, with members and a quota. */
export function projectOf(repository: string): string {
  return repository.split("/")[0] ?? "";
}

export function projectsOf(mapped: readonly Mapped[]): ReadonlySet<string> {
  return new Set(mapped.flatMap(({ targets }) => targets.map(({ repository }) => projectOf(repository))));
}
