import type { Report } from "../../model/event.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { fieldManager } from "../../model/kubernetes.ts";
import type { PluginRecord } from "../../model/receipt.ts";
import { symptomReader, type Symptom, type Sighting } from "../../model/symptom.ts";
import { isEnabled, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { switchBack } from "./disable.ts";
import { canaryOf, isAlready } from "./document.ts";
import { lookAtGateway, type GatewayRef, type GatewayState, type PluginsPort, type Watch } from "./gateway.ts";

export interface EnableOptions {
  readonly gateway: GatewayRef;
  /** How long the gateway is watched after each change. */
  readonly watchSeconds: number;
  readonly symptoms: readonly Symptom[];
  readonly report: Report;
  /** Writes down what is about to be done, and then what came of it: also when we end in between it can be undone. */
  readonly keep: (record: PluginRecord) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
  /** First load a plugin for no request at all. @default true */
  readonly canary?: boolean | undefined;
  /** How long the gateway may take to come back after a plugin was switched off. @default 180 */
  readonly recoverSeconds?: number | undefined;
  readonly pollSeconds?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Switches plugins on one after another, and watches the gateway for a while after each. One that harms it is put back
 * to what it was (another version that worked, or off), reported, and the next one follows. When the gateway does not
 * come back, nothing more is tried.
 */
export async function enablePlugins(
  plugins: readonly WasmPlugin[],
  port: PluginsPort,
  options: EnableOptions,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const watch: Watch = {
    port,
    gateway: options.gateway,
    read: symptomReader(options.symptoms),
    watchSeconds: options.watchSeconds,
    recoverSeconds: options.recoverSeconds ?? 180,
    pollSeconds: options.pollSeconds ?? 2,
    clock: options.clock ?? systemClock,
    signal: options.signal,
  };
  for (const plugin of plugins) {
    const { record, trouble, lost } = await enableOne(plugin, watch, options);
    await options.keep(record);
    options.report({
      type: "note",
      text: record.state === "on" ? "plugin-on" : "plugin-off",
      facts: { plugin: plugin.metadata.name },
    });
    if (trouble !== undefined)
      findings.push(finding("error", "plugin.switched-off", { plugin: plugin.metadata.name, why: trouble }));
    if (lost) break;
  }
  return findings;
}

interface Outcome {
  readonly record: PluginRecord;
  readonly trouble?: string | undefined;
  readonly lost: boolean;
}

async function enableOne(plugin: WasmPlugin, watch: Watch, { canary = true, keep }: EnableOptions): Promise<Outcome> {
  const { port, gateway, signal } = watch;
  const { namespace } = gateway;
  const ref = { resource: wasmPluginResource, name: plugin.metadata.name, namespace };
  const before = await port.get<WasmPlugin>(ref, signal);
  const record = recordOf(plugin, before, namespace);
  if (before !== undefined && isAlready(plugin.spec, before.spec)) return { record, lost: false };
  const baseline = await lookAtGateway(gateway, port, signal);
  const off = { ...record, state: "off" } as const;
  // Nothing could be seen of a plugin's doing on a gateway that is down already.
  if (baseline.ready === 0) return { record: off, trouble: `${gateway.name}: ready 0`, lost: true };
  await keep(record);
  for (const step of stepsOf(plugin, before, canary)) {
    await port.apply([step], { fieldManager, force: true, namespace, signal });
    const trouble = await watchGateway(plugin, baseline, watch);
    if (trouble !== undefined)
      return { record: off, trouble, lost: !(await switchBack({ ref, before, baseline }, watch)) };
  }
  return { record, lost: false };
}

/** A plugin that is on already has requests that need it: it goes from one version to the other without a pause. */
function stepsOf(plugin: WasmPlugin, before: WasmPlugin | undefined, canary: boolean): readonly WasmPlugin[] {
  const running = before !== undefined && isEnabled(before);
  const first = canary && !running ? canaryOf(plugin) : undefined;
  return first === undefined ? [plugin] : [first, plugin];
}

function recordOf({ metadata, spec }: WasmPlugin, before: WasmPlugin | undefined, namespace: string): PluginRecord {
  const had = before?.spec?.url;
  const record = { namespace, name: metadata.name, url: spec?.url ?? "", state: "on" } as const;
  return had === undefined ? record : { ...record, before: had };
}

export interface VerdictOptions {
  readonly read: (line: string) => Sighting | undefined;
  /** Texts by which a log line is about this plugin: its name, its repository. */
  readonly about: readonly string[];
}

/** What became worse since `before`, in a few words; `undefined` when nothing did. */
export function worseSince(before: GatewayState, now: GatewayState, options: VerdictOptions): string | undefined {
  return crashed(before, now) ?? failed(before, now) ?? said(before, now, options);
}

/** Fewer pods are ready than before. Alone it may be a passing probe, so the caller asks more than once. */
export function lostPods(before: GatewayState, now: GatewayState): string | undefined {
  if (now.ready >= before.ready) return undefined;
  const [trouble] = now.troubles;
  return `ready ${now.ready}/${before.ready}${trouble === undefined ? "" : ` ${trouble.reason} ${trouble.message}`}`;
}

function crashed(before: GatewayState, now: GatewayState): string | undefined {
  const restarted = [...now.restarts].some(([uid, count]) => count > (before.restarts.get(uid) ?? count));
  const known = new Set(before.troubles.map(({ pod, class: of }) => `${pod} ${of}`));
  const trouble = now.troubles.find(
    ({ pod, class: of }) => (of === "crash" || of === "out-of-memory") && !known.has(`${pod} ${of}`),
  );
  if (trouble !== undefined) return `${trouble.pod}: ${trouble.reason} ${trouble.message}`.trim();
  return restarted ? "restarted" : undefined;
}

function failed(before: GatewayState, now: GatewayState): string | undefined {
  // A pod whose metrics did not answer before would bring its whole past as news.
  if (before.failures.size === 0 && now.failures.size > 0 && before.pods.join() !== now.pods.join()) return undefined;
  const grown = [...now.failures].find(([name, count]) => count > (before.failures.get(name) ?? 0));
  return grown === undefined ? undefined : `${grown[0]} ${grown[1]}`;
}

function said(before: GatewayState, now: GatewayState, { read, about }: VerdictOptions): string | undefined {
  const old = new Set([...before.lines].flatMap((line) => read(line)?.symptom.id ?? []));
  for (const line of now.lines) {
    if (before.lines.has(line)) continue;
    const sighting = read(line);
    if (sighting === undefined || sighting.symptom.severity !== "error") continue;
    // Trouble that was there before goes on being said; it is news only when it names this plugin.
    if (!old.has(sighting.symptom.id) || about.some((text) => line.includes(text)))
      return `${sighting.symptom.id}: ${sighting.line}`;
  }
  return undefined;
}

/** A probe may fail once; a pod that is not ready at three looks in a row is lost. */
const looks = 3;

/** @returns what became worse within `watchSeconds`, or undefined */
export async function watchGateway(
  plugin: WasmPlugin,
  before: GatewayState,
  watch: Watch,
): Promise<string | undefined> {
  const { port, gateway, read, clock, signal } = watch;
  const end = clock.now() + watch.watchSeconds * 1000;
  const about = namesOf(plugin);
  let missing = 0;
  for (;;) {
    const now = await lookAtGateway(gateway, port, signal);
    const lost = lostPods(before, now);
    missing = lost === undefined ? 0 : missing + 1;
    const trouble = worseSince(before, now, { read, about }) ?? (missing >= looks ? lost : undefined);
    if (trouble !== undefined) return trouble;
    if (clock.now() >= end && missing === 0) return undefined;
    await clock.sleep(watch.pollSeconds * 1000, signal);
  }
}

/** By these a log line is about this plugin: the object's name, and the path of its module without tag and scheme. */
function namesOf({ metadata, spec }: WasmPlugin): readonly string[] {
  const path = (spec?.url ?? "").replace(/^[a-z]{1,10}:\/\/[^/]{0,300}\//, "").replace(/[:@][^/]{0,100}$/, "");
  return [metadata.name, path].filter((text) => text !== "");
}
