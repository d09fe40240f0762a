import * as z from "zod";
import type { LockItem } from "./lock.ts";
import { ChartName, ChartVersion, ObjectName, SettingPath } from "./names.ts";
import type { Reference } from "./reference.ts";
import { urlPatternVariable } from "./url-pattern.ts";

const Setting = z.strictObject({
  path: SettingPath.describe("Values path; a dot inside a key is written \\."),
  value: z
    .unknown()
    .describe(
      "Any value; in strings {prefix}, {registry}, {project}, {namespace}, {pullSecret}, {pluginServer}, {plugin:NAME} are filled in",
    ),
});

/** Which values of one chart version move which reference: data, because it changes with every release. */
export const RelocationMap = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("RelocationMap"),
  chart: ChartName,
  version: ChartVersion,
  gateway: z.string().describe("Gateway generation of this release (manifests/higress/gateways.yaml)"),
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
    .array(z.strictObject({ kind: z.enum(["Deployment", "DaemonSet"]), name: ObjectName, container: ObjectName }))
    .default([])
    .describe("Workloads that fetch by themselves and so need the registry's CA"),
});
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
