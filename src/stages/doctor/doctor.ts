import type { Event as KubeEvent, Pod } from "kubernetes-types/core/v1.js";
import pMap from "p-map";
import { isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { ClusterPort } from "../../model/kubernetes.ts";
import { lineSubject } from "../../model/log-subject.ts";
import { containersOf, troubleOf } from "../../model/pod-trouble.ts";
import { redact, sanitize } from "../../model/sanitize.ts";
import { symptomReader, type Sighting, type Symptom } from "../../model/symptom.ts";

export interface DiagnoseOptions {
  readonly symptoms: readonly Symptom[];
  readonly language: "en" | "zh";
}

export interface DoctorReport {
  /** Likely causes, the likeliest first. */
  readonly findings: readonly Finding[];
  /** What they were read from, for a support archive. */
  readonly evidence: readonly CollectedText[];
}

/** Asks the cluster for everything that may say why something does not work, and reads it. */
export async function doctor(port: DoctorPort, options: CollectOptions & DiagnoseOptions): Promise<DoctorReport> {
  const evidence = await collectTexts(port, options);
  return { findings: diagnose(evidence, options), evidence };
}

/** The same for a log file, with no cluster. */
export function readLogs(text: string, options: DiagnoseOptions): readonly Finding[] {
  return diagnose([{ name: "", text }], options);
}

/** One failure: often many lines, of which the cause is kept, and the plugin that they are about where they are about one. */
interface Trouble {
  readonly sighting: Sighting;
  readonly where: string;
  readonly plugin: string | undefined;
}

/** What was seen in the same words: of no plugin, or of one after another. */
interface Cause extends Trouble {
  readonly plugins: Set<string>;
  times: number;
}

function diagnose(evidence: readonly CollectedText[], { symptoms, language }: DiagnoseOptions): readonly Finding[] {
  const read = symptomReader(symptoms);
  const causes = new Map<string, Cause>();
  for (const stream of evidence.filter(({ past }) => past !== true).flatMap(streamsOf)) {
    for (const trouble of troublesIn(stream, read)) {
      const { sighting, plugin } = trouble;
      const kind = `${sighting.symptom.id} ${plugin === undefined ? "" : "plugin"}`;
      const cause = causes.get(kind) ?? { ...trouble, plugins: new Set<string>(), times: 0 };
      causes.set(kind, cause);
      cause.times += 1;
      if (plugin !== undefined) cause.plugins.add(plugin);
    }
  }
  return ranked([...causes.values()]).map(({ sighting: { symptom, line }, where, plugins, times }) => {
    const facts = {
      symptom: symptom.symptom[language],
      cause: symptom.cause[language],
      remedy: symptom.remedy[language],
      evidence: `${where === "" ? "" : `${where}: `}${line}${times > 1 ? ` (${times}×)` : ""}`,
    };
    return plugins.size === 0
      ? finding(symptom.severity, "doctor.cause", facts)
      : finding(symptom.severity, "doctor.plugin-cause", { ...facts, plugins: sanitize([...plugins].join(", "), 400) });
  });
}

/** Of Envoy's Wasm engine, or of its agent; the lines beside others name nobody that those are about. */
const isOfPlugin =
  /common\/wasm\/|wasm:\/\/|cannot fetch Wasm module|wasm log |could not parse as |TypedExtensionConfig /;
/** What is said of a plugin as a whole comes last of all that is said of its failure. */
const lastRank = 40;

/** The lines of one container, in their order. */
interface Stream {
  readonly where: string;
  readonly lines: readonly string[];
}

/** What collectors write before a line: `kubectl logs --prefix`, `--timestamps`, and the container runtime's own files. */
const ofPod = /^\[pod\/([^/\]\s]{1,253}\/[^/\]\s]{1,253})\] /;
const collected = /^\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?/;

/** One log may be of several pods, of which each goes on where its own lines do. */
function streamsOf({ name, text }: CollectedText): readonly Stream[] {
  const streams = new Map<string, string[]>();
  for (const written of text.split(/\r?\n/)) {
    const [prefix = "", pod = name] = ofPod.exec(written) ?? [];
    const lines = streams.get(pod) ?? [];
    streams.set(pod, lines);
    lines.push(withoutWrapper(written.slice(prefix.length)).replace(collected, ""));
  }
  return [...streams].map(([where, lines]) => ({ where, lines }));
}

/** Docker keeps each line as JSON: `{"log":"…\n","stream":"stderr","time":"…"}`. */
function withoutWrapper(line: string): string {
  if (!line.startsWith('{"log":"')) return line;
  try {
    const { log } = JSON.parse(line) as { readonly log?: unknown };
    return typeof log === "string" ? log.trimEnd() : line;
  } catch {
    return line;
  }
}

function troublesIn({ where, lines }: Stream, read: (line: string) => Sighting | undefined): readonly Trouble[] {
  const found: Trouble[] = [];
  let rank = 0;
  for (const [at, line] of lines.entries()) {
    const sighting = read(line);
    if (sighting === undefined) continue;
    const plugin = isOfPlugin.test(line) ? lineSubject(lines, at)?.text : undefined;
    const last = found.at(-1);
    const goesOn =
      plugin !== undefined && plugin === last?.plugin && !(rank >= lastRank && sighting.symptom.rank < rank);
    rank = sighting.symptom.rank;
    if (!goesOn) found.push({ sighting, where, plugin });
    else if (rank < last.sighting.symptom.rank) found.splice(-1, 1, { ...last, sighting });
  }
  return found;
}

const wrapperRank = 60;

/** Causes before consequences; what only wraps another one is left out where the other one was seen. */
function ranked(causes: readonly Cause[]): readonly Cause[] {
  const isWrapper = ({ sighting: { symptom } }: Cause): boolean =>
    symptom.severity === "error" && symptom.rank >= wrapperRank;
  const root = causes.some((cause) => cause.sighting.symptom.severity === "error" && !isWrapper(cause));
  return causes
    .filter((cause) => !(root && isWrapper(cause)))
    .sort((a, b) => a.sighting.symptom.rank - b.sighting.symptom.rank || b.times - a.times);
}

export type DoctorPort = Pick<ClusterPort, "list" | "logs" | "raw">;

/** One text to be read line by line, and the name under which it goes into a support archive. */
export interface CollectedText {
  /** `logs/POD/CONTAINER.log`, `events.txt`, `pods.txt`. */
  readonly name: string;
  readonly text: string;
  /** What is over: for whoever helps, not for finding the cause of what is wrong now. */
  readonly past?: boolean | undefined;
}

export interface CollectOptions {
  readonly namespace: string;
  readonly signal?: AbortSignal | undefined;
  /** Lines of each log. @default 2000 */
  readonly tail?: number | undefined;
}

/** Everything that may say why: what pods wait for, events, logs of this and the last run, the gateway's counters. */
async function collectTexts(port: DoctorPort, options: CollectOptions): Promise<readonly CollectedText[]> {
  const { namespace, signal } = options;
  const [pods, events] = await Promise.all([
    port.list<Pod>({ resource: "pods", namespace, signal }),
    port.list<KubeEvent>({ resource: "events", namespace, signal }),
  ]);
  const troubled = pods.filter((pod) => troubleOf(pod) !== undefined);
  const troubles = troubled.flatMap((pod) => troubleOf(pod, events) ?? []);
  const lines = troubles.map(({ pod, container = "", reason, message }) => `${pod} ${container} ${reason}: ${message}`);
  const logs = await pMap(pods.flatMap(logsOf), (log) => readLog(log, port, options), { concurrency: 4 });
  const metrics = await pMap(pods.filter(isGateway), (pod) => readMetrics(pod, port, options), { concurrency: 4 });
  return [
    { name: "pods.txt", text: lines.join("\n") },
    ...eventFiles(events, new Set(troubled.map(({ metadata }) => metadata?.uid))),
    ...[...logs, ...metrics].filter(({ text }) => text !== "").map(({ name, text }) => ({ name, text: redact(text) })),
  ];
}

interface Log {
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

function logsOf(pod: Pod): readonly Log[] {
  const name = pod.metadata?.name ?? "";
  return containersOf(pod).flatMap(({ name: container }) =>
    [false, true].map((previous) => ({ pod: name, container, previous })),
  );
}

async function readLog(
  log: Log,
  port: DoctorPort,
  { namespace, signal, tail = 2000 }: CollectOptions,
): Promise<CollectedText> {
  const name = `logs/${log.pod}/${log.container}${log.previous ? ".previous" : ""}.log`;
  try {
    return { name, text: (await port.logs({ namespace, ...log, tail, signal })) ?? "" };
  } catch (error) {
    // One log that may not be read must not hide the others.
    if (!isFailure(error)) throw error;
    return { name, text: `(${error.code})` };
  }
}

async function readMetrics(pod: Pod, port: DoctorPort, { namespace, signal }: CollectOptions): Promise<CollectedText> {
  const name = pod.metadata?.name ?? "";
  const path = `/api/v1/namespaces/${namespace}/pods/${name}:15020/proxy/stats/prometheus`;
  const text = (await port.raw(path, signal)) ?? "";
  const wasm = text.split("\n").filter((line) => /^(istio_agent_wasm|envoy_.{0,80}wasm)/.test(line));
  return { name: `metrics/${name}.txt`, text: wasm.join("\n") };
}

function isGateway({ metadata }: Pod): boolean {
  return metadata?.labels?.["app"] === "higress-gateway";
}

/** Events outlive what they are about by an hour: those of pods that are gone or well by now would name a mended cause. */
function eventFiles(events: readonly KubeEvent[], troubled: ReadonlySet<string | undefined>): readonly CollectedText[] {
  const isPresent = ({ involvedObject: { kind, uid } }: KubeEvent): boolean => kind !== "Pod" || troubled.has(uid);
  const print = (some: readonly KubeEvent[]): string => redact(some.map(eventLine).join("\n"));
  return [
    { name: "events.txt", text: print(events.filter(isPresent)) },
    { name: "events-past.txt", text: print(events.filter((event) => !isPresent(event))), past: true },
  ];
}

function eventLine({ type, reason, message, involvedObject }: KubeEvent): string {
  return `${type ?? ""} ${involvedObject.kind ?? ""}/${involvedObject.name ?? ""} ${reason ?? ""}: ${message ?? ""}`;
}
