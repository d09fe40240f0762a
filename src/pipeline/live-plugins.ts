import type { LockItem } from "../model/lock.ts";
import type { ClusterPort, KubeObject } from "../model/kubernetes.ts";
import { isReference, parseReference, printReference, withoutOci } from "../model/reference.ts";
import type { GatewayHas, PluginStatus } from "../model/status.ts";
import { isEnabled, pluginLabels, wasmPluginResource, type WasmPlugin } from "../model/wasm-plugin.ts";
import { deliveredTo, type GatewayRef, type GatewayState } from "../stages/plugin-rollout/gateway.ts";
import type { InstallPlan } from "./install-plan.ts";

export type LivePluginsPort = Pick<ClusterPort, "get" | "list" | "exec">;

export interface LivePluginsOptions {
  readonly namespace: string;
  /** Knows the digest and version behind a URL of its own. */
  readonly mapped?: InstallPlan["mapped"] | undefined;
  readonly signal: AbortSignal;
}

type DeliveredByPod = GatewayState["delivered"];

/** The plugins of the release's namespace, which alone reach its gateway. `delivered` is what its pods said. */
export async function livePlugins(
  cluster: Pick<LivePluginsPort, "list">,
  delivered: DeliveredByPod,
  { namespace, mapped = [], signal }: LivePluginsOptions,
): Promise<readonly PluginStatus[]> {
  const plugins = await cluster.list<WasmPlugin>({ resource: wasmPluginResource, namespace, signal });
  const carried = carriedByUrl(mapped);
  return plugins.map((plugin): PluginStatus => {
    const { name } = plugin.metadata;
    const { url = "", phase, priority } = plugin.spec ?? {};
    const gateway = gatewayHas(`${namespace}.${name}`, delivered);
    return {
      ...moduleOf(plugin, carried.get(withoutOci(url))),
      object: name,
      url,
      on: isEnabled(plugin),
      gateway,
      ...(typeof phase === "string" ? { phase } : {}),
      ...(typeof priority === "number" ? { priority } : {}),
    };
  });
}

/** Which module it is: as the console labels it, as the bundle knows it, as its URL says. */
function moduleOf(plugin: WasmPlugin, item: LockItem | undefined): Pick<PluginStatus, "name" | "version" | "digest"> {
  const { name } = plugin.metadata;
  const { url = "", sha256 = "" } = plugin.spec ?? {};
  const text = withoutOci(url);
  const reference = isReference(text) ? parseReference(text) : undefined;
  const version = first(labelOf(plugin, "version"), item?.version, reference?.tag);
  const digest = first(item?.root.digest, reference?.digest, sha256 === "" ? undefined : `sha256:${String(sha256)}`);
  return { name: first(labelOf(plugin, "name"), item?.name) ?? name, version, digest };
}

function labelOf({ metadata: { labels = {} } }: WasmPlugin, what: keyof typeof pluginLabels): string | undefined {
  return labels[pluginLabels[what]];
}

function first(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined);
}

function carriedByUrl(mapped: InstallPlan["mapped"]): ReadonlyMap<string, LockItem> {
  const plugins = mapped.filter(({ item }) => item.kind === "plugin");
  return new Map(
    plugins.flatMap(({ item, targets }) => targets.map((target) => [printReference(target), item] as const)),
  );
}

function gatewayHas(plugin: string, delivered: DeliveredByPod): GatewayHas {
  const asked = [...delivered.values()].filter((has) => has !== undefined);
  if (asked.length === 0) return "none";
  const having = asked.filter((has) => has.get(plugin)?.wasm === true).length;
  return having === asked.length ? "all" : having > 0 ? "some" : "missing";
}

/** The workload whose container of this name it is, and the labels of its pods. */
export interface FoundWorkload extends GatewayRef {
  readonly labels: Readonly<Record<string, string>>;
  readonly managedBy: string | undefined;
}

/** Values may rename a workload or make a DaemonSet of it; its container keeps its name. */
export async function workloadWith(
  container: string,
  cluster: Pick<LivePluginsPort, "list">,
  { namespace, signal }: Pick<LivePluginsOptions, "namespace" | "signal">,
): Promise<FoundWorkload | undefined> {
  const found = await cluster.list<Workload>({ resource: "deployments.apps,daemonsets.apps", namespace, signal });
  const workload = found.find(({ spec }) => spec?.template?.spec?.containers?.some(({ name }) => name === container));
  if (workload === undefined) return undefined;
  const { kind, metadata, spec } = workload;
  return {
    namespace,
    kind: kind === "DaemonSet" ? kind : "Deployment",
    name: metadata.name,
    container,
    labels: spec?.template?.metadata?.labels ?? {},
    managedBy: metadata.labels?.["app.kubernetes.io/managed-by"],
  };
}

interface Workload extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
      readonly spec?: { readonly containers?: readonly { readonly name: string }[] };
    };
  };
}

/** Empty where there is no gateway, or none of its pods may be asked. */
export async function deliveredBy(
  gateway: GatewayRef | undefined,
  cluster: LivePluginsPort,
  signal: AbortSignal,
): Promise<DeliveredByPod> {
  return gateway === undefined ? new Map() : await deliveredTo(gateway, cluster, signal);
}
