import type { Pod } from "kubernetes-types/core/v1.js";
import type { ClusterPort, KubeObject, ObjectsPort } from "../../model/kubernetes.ts";
import { isReady, restartsOf, troubleOf, type PodTrouble } from "../../model/pod-trouble.ts";
import type { Sighting } from "../../model/symptom.ts";
import type { Clock } from "../../std/clock.ts";
import { askDelivered, type DeliveredByName } from "./delivered.ts";
import { isTelling } from "../../model/log-subject.ts";

export type PluginsPort = ObjectsPort & Pick<ClusterPort, "logs" | "raw" | "exec">;

export interface GatewayRef {
  readonly namespace: string;
  readonly kind: "Deployment" | "DaemonSet";
  readonly name: string;
  readonly container: string;
}

/** The gateway at one moment. */
export interface GatewayState {
  readonly ready: number;
  readonly pods: readonly string[];
  readonly unready: readonly string[];
  /** By uid: a pod that was replaced does not inherit. */
  readonly restarts: ReadonlyMap<string, number>;
  readonly troubles: readonly PodTrouble[];
  /** Failures that the agents have counted, by what failed; empty when no pod's metrics answer. */
  readonly failures: ReadonlyMap<string, number>;
  /** What the logs say of plugins and trouble, in its order; requests, of which a busy gateway logs thousands, are left out. */
  readonly lines: ReadonlySet<string>;
  /** Pods whose log could not be read. */
  readonly unheard: readonly string[];
  /** When it was looked at: milliseconds of the clock. */
  readonly at: number;
  /** By pod; `undefined` where the pod could not be asked. */
  readonly delivered: ReadonlyMap<string, DeliveredByName | undefined>;
}

/** Lines at the first look, which has to know what was said before; and at the next ones, which are seconds apart. */
const [firstTail, nextTail] = [5_000, 20_000];
/** Seconds more than have passed since the last look. */
const overlap = 1;
const metricsPort = 15020;

/**
 * Of its logs as many lines are read as a busy gateway writes meanwhile: with a line for each of a thousand requests a
 * second, the one that a refused plugin is worth was gone from the last 500 before they were read.
 * @param last what its logs said until then counts too, and is not read again
 */
export async function lookAtGateway(
  { gateway: ref, port, read, clock, signal }: Pick<Watch, "gateway" | "port" | "read" | "clock" | "signal">,
  last?: GatewayState,
): Promise<GatewayState> {
  const pods = await gatewayPods(ref, port, signal);
  const names = namesOfPods(pods);
  const { namespace, container } = ref;
  const at = clock.now();
  const lines = last === undefined ? { tail: firstTail } : { tail: nextTail, since: (at - last.at) / 1000 + overlap };
  const [metrics, logs, delivered] = await Promise.all([
    Promise.all(names.map((pod) => port.raw(metricsPath(namespace, pod), signal))),
    Promise.all(names.map((pod) => port.logs({ namespace, pod, container, ...lines, signal }))),
    askPods(names, ref, port, signal),
  ]);
  const telling = logs.flatMap((log) => (log ?? "").split("\n")).filter((line) => isTelling(line, read));
  return {
    ready: pods.filter(isReady).length,
    pods: names,
    unready: pods.filter((pod) => !isReady(pod)).flatMap(({ metadata }) => metadata?.name ?? []),
    restarts: new Map(pods.map((pod) => [pod.metadata?.uid ?? "", restartsOf(pod)])),
    troubles: pods.flatMap((pod) => troubleOf(pod) ?? []),
    failures: failuresIn(metrics.join("\n")),
    lines: new Set([...(last?.lines ?? []), ...telling]),
    unheard: names.filter((_, index) => logs[index] === undefined),
    at,
    delivered,
  };
}

type DeliveredByPod = GatewayState["delivered"];

/** The plugins that each pod of the gateway has, without all the rest that watching it takes. */
export async function deliveredTo(
  ref: GatewayRef,
  port: Pick<PluginsPort, "get" | "list" | "exec">,
  signal?: AbortSignal,
): Promise<DeliveredByPod> {
  return askPods(namesOfPods(await gatewayPods(ref, port, signal)), ref, port, signal);
}

async function askPods(
  names: readonly string[],
  { namespace, container }: GatewayRef,
  port: Pick<PluginsPort, "exec">,
  signal: AbortSignal | undefined,
): Promise<DeliveredByPod> {
  const asked = names.map(async (pod) => {
    const question = { namespace, pod, container, signal };
    return [pod, await askDelivered(question, (query) => port.exec(query))] as const;
  });
  return new Map(await Promise.all(asked));
}

function namesOfPods(pods: readonly Pod[]): readonly string[] {
  return pods.flatMap(({ metadata }) => metadata?.name ?? []);
}

const over: ReadonlySet<string> = new Set(["Failed", "Succeeded"]);

async function gatewayPods(
  { namespace, kind, name }: GatewayRef,
  port: Pick<PluginsPort, "get" | "list">,
  signal: AbortSignal | undefined,
): Promise<readonly Pod[]> {
  const ref = { resource: `${kind.toLowerCase()}s.apps`, name, namespace };
  const workload = await port.get<KubeObject & Selecting>(ref, signal);
  const labels = Object.entries(workload?.spec?.selector?.matchLabels ?? {});
  if (labels.length === 0) return [];
  const selector = labels.map(([key, value]) => `${key}=${value}`).join(",");
  const pods = await port.list<Pod>({ resource: "pods", namespace, selector, signal });
  // What was evicted stays in the list for good, and runs nothing.
  return pods.filter(
    ({ metadata, status }) => metadata?.deletionTimestamp === undefined && !over.has(status?.phase ?? ""),
  );
}

interface Selecting {
  readonly spec?: { readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> } };
}

function metricsPath(namespace: string, pod: string): string {
  return `/api/v1/namespaces/${namespace}/pods/${pod}:${metricsPort}/proxy/stats/prometheus`;
}

/** Names and results: docs/facts/higress.md#log-lines. `success` and `no_remote_load` are no failures. */
const counter =
  /^istio_agent_(wasm_(?:remote_fetch|config_conversion)_count)\w{0,8}\{([^}\n]{0,500})\} ([0-9.e+]{1,30})$/gm;
const harmless = new Set(["success", "no_remote_load"]);

function failuresIn(metrics: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [, name = "", labels = "", value = ""] of metrics.matchAll(counter)) {
    const result = /result="(\w{1,60})"/.exec(labels)?.[1] ?? "";
    if (harmless.has(result)) continue;
    const key = `${name} ${result}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(value));
  }
  return counts;
}

/** Everything that watching a gateway takes, the same for every plugin. */
export interface Watch {
  readonly port: PluginsPort;
  readonly gateway: GatewayRef;
  readonly read: (line: string) => Sighting | undefined;
  /** Counted from when the gateway has the plugin. */
  readonly watchSeconds: number;
  readonly deliverSeconds: number;
  readonly recoverSeconds: number;
  readonly pollSeconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}
