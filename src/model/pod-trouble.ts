import type {
  Container,
  ContainerStatus,
  Event as KubeEvent,
  Pod,
  ContainerStateTerminated,
} from "kubernetes-types/core/v1.js";
import { sanitize } from "./sanitize.ts";

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
}

export function restartsOf(pod: Pod): number {
  return statusesOf(pod).reduce((sum, { restartCount }) => sum + restartCount, 0);
}

export function containersOf({ spec }: Pod): readonly Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

export function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** Events about this very pod, newest last; a namesake that lived before has another uid. */
function eventsOf({ metadata }: Pod, events: readonly KubeEvent[]): readonly KubeEvent[] {
  return events
    .filter(({ involvedObject }) => involvedObject.uid !== undefined && involvedObject.uid === metadata?.uid)
    .sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : 1));
}

function timeOf({ lastTimestamp, eventTime, firstTimestamp }: KubeEvent): string {
  return lastTimestamp ?? eventTime ?? firstTimestamp ?? "";
}

/** Why a pod does not run, as far as it decides who has to do what. */
export type TroubleClass =
  | "pull-secret"
  | "not-mirrored"
  | "node-ca"
  | "dns"
  | "platform"
  | "network"
  | "image-name"
  | "image"
  | "unschedulable"
  | "out-of-memory"
  | "crash"
  | "configuration"
  | "mount"
  | "not-ready"
  | "starting";

export interface PodTrouble {
  readonly pod: string;
  readonly container?: string | undefined;
  readonly class: TroubleClass;
  /** Kubernetes' own word: ImagePullBackOff, OOMKilled, Unschedulable. */
  readonly reason: string;
  readonly message: string;
}

type Events = readonly KubeEvent[];

/** Waiting does not mend these: an image, a secret, a node or a name has to change first. */
export const hopeless: ReadonlySet<TroubleClass> = new Set([
  "pull-secret",
  "not-mirrored",
  "node-ca",
  "platform",
  "image-name",
]);

/** Texts of containerd, CRI-O and Docker; the first that fits decides, so the particular come before the general. */
const pullClasses: readonly (readonly [RegExp, TroubleClass])[] = [
  [/no match for platform|no matching manifest|exec format error|does not match the specified platform/i, "platform"],
  [/x509:|certificate signed by unknown authority|tls: failed to verify/i, "node-ca"],
  [
    /\b401\b|unauthorized|authoriz|authentication required|no basic auth credentials|access denied|\b403\b/i,
    "pull-secret",
  ],
  [/no such host|server misbehaving|name resolution/i, "dns"],
  [
    /i\/o timeout|connection refused|connection reset|network is unreachable|deadline exceeded|TLS handshake timeout/i,
    "network",
  ],
  [/not found|manifest unknown|name unknown|\b404\b/i, "not-mirrored"],
];

function classOfPull(message: string): TroubleClass {
  return pullClasses.find(([pattern]) => pattern.test(message))?.[1] ?? "image";
}

/**
 * What keeps a pod from being ready, read in the order in which a pod lives: no node, no volume, no image, no
 * configuration, crashed, not ready. `events` may be of the whole namespace. `undefined`: it is ready, or done.
 */
export function troubleOf(pod: Pod, events: readonly KubeEvent[] = []): PodTrouble | undefined {
  if (pod.status?.phase === "Succeeded" || isReady(pod)) return undefined;
  const name = pod.metadata?.name ?? "";
  const mine = eventsOf(pod, events);
  return (
    scheduling(name, pod) ??
    statusesOf(pod)
      .map((status) => containerTrouble(name, status, mine))
      .find((trouble) => trouble !== undefined) ??
    mounting(name, mine) ??
    unready(name, pod, mine)
  );
}

function scheduling(pod: string, { status }: Pod): PodTrouble | undefined {
  const condition = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (condition?.status !== "False") return undefined;
  const { reason = "Unschedulable", message = "" } = condition;
  return { pod, class: "unschedulable", reason, message: sanitize(message) };
}

function containerTrouble(pod: string, status: ContainerStatus, events: Events): PodTrouble | undefined {
  if (status.ready) return undefined;
  const found = waitingTrouble(status, events) ?? endedTrouble(status, events);
  return found === undefined ? undefined : { pod, container: status.name, ...found, message: sanitize(found.message) };
}

type Found = Pick<PodTrouble, "class" | "reason" | "message">;

function waitingTrouble({ state }: ContainerStatus, events: Events): Found | undefined {
  const { reason = "", message = "" } = state?.waiting ?? {};
  if (reason === "InvalidImageName") return { class: "image-name", reason, message };
  if (/^Create(Container|PodSandbox)/.test(reason)) return { class: "configuration", reason, message };
  if (!/^(ErrImage|ImagePull|RegistryUnavailable|ImageInspect)/.test(reason)) return undefined;
  const cause = pullMessage(message, events);
  return { class: classOfPull(cause), reason, message: cause };
}

/** A container that ended: now, or before its present run, which has not become ready either. */
function endedTrouble({ state, lastState }: ContainerStatus, events: Events): Found | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  const again = state?.waiting?.reason === "CrashLoopBackOff";
  return ended === undefined ? undefined : endOf(ended, { again, killed: killedByProbe(events) });
}

/** Exit 137 is SIGKILL: memory, or a container that did not end in time after its liveness probe had failed. */
function killedByProbe(events: Events): string | undefined {
  return events.findLast(({ reason, message = "" }) => reason === "Killing" && /liveness probe/.test(message))?.message;
}

function endOf(
  { exitCode, reason = "Error", message = "" }: ContainerStateTerminated,
  { again, killed }: { readonly again: boolean; readonly killed: string | undefined },
): Found | undefined {
  if (exitCode === 0 && !again) return undefined;
  if (killed !== undefined && reason !== "OOMKilled" && (exitCode === 137 || exitCode === 143))
    return { class: "crash", reason, message: `exit ${exitCode} ${killed}` };
  if (reason === "OOMKilled" || exitCode === 137)
    return { class: "out-of-memory", reason, message: `exit ${exitCode}` };
  return { class: "crash", reason: again ? "CrashLoopBackOff" : reason, message: `exit ${exitCode} ${message}`.trim() };
}

/** Before Kubernetes 1.30 "Back-off pulling image" hides the cause; the event of the attempt has it. */
function pullMessage(message: string, events: Events): string {
  if (message !== "" && !/^Back-off pulling image "[^"]{0,1000}"$/.test(message)) return message;
  return events.findLast((event) => event.message?.startsWith("Failed to pull image") === true)?.message ?? message;
}

/** At a first install the gateway waits for ConfigMap higress-ca-root-cert, which a healthy controller makes. */
function mounting(pod: string, events: Events): PodTrouble | undefined {
  const event = events.findLast(({ reason }) => reason === "FailedMount" || reason === "FailedAttachVolume");
  if (event === undefined) return undefined;
  return { pod, class: "mount", reason: event.reason ?? "FailedMount", message: sanitize(event.message ?? "") };
}

function unready(pod: string, { status = {} }: Pod, events: Events): PodTrouble {
  const { containerStatuses = [], phase = "Pending", reason = phase, message = "" } = status;
  const probe = events.findLast((event) => event.reason === "Unhealthy");
  const running = containerStatuses.length > 0 && containerStatuses.every(({ state }) => state?.running !== undefined);
  if (!running) return { pod, class: "starting", reason, message: sanitize(message) };
  const { reason: why = "NotReady", message: words = message } = probe ?? {};
  return { pod, class: "not-ready", reason: why, message: sanitize(words) };
}
