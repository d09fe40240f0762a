import type { Sighting } from "../../model/symptom.ts";
import type { WasmPlugin } from "../../model/wasm-plugin.ts";
import { deliveryOf, type Delivery } from "./delivered.ts";
import { lookAtGateway, type GatewayState, type Watch } from "./gateway.ts";

/** A probe may fail once; a pod that is not ready at three looks in a row is lost. */
const looks = 3;

interface WatchOutcome {
  /** What became worse, or what did not come; `undefined` when the plugin is on. */
  readonly trouble?: string | undefined;
  /** No pod of the gateway could be asked what it has: all that is known is that nothing went wrong during the watch. */
  readonly unseen: boolean;
}

interface RolloutStep {
  readonly plugin: WasmPlugin;
  /** The gateway just before this step. */
  readonly before: GatewayState;
  /** Whether the gateway may have taken nothing: another tag for the same bytes is the same to it. */
  readonly mayStay: boolean;
}

/** Waits until every pod of the gateway has the plugin, and then looks for `watchSeconds` what that does to them. */
export async function watchGateway(step: RolloutStep, watch: Watch): Promise<WatchOutcome> {
  const { port, gateway, clock, signal } = watch;
  const looked = looksAt(step, watch);
  const latest = clock.now() + watch.deliverSeconds * 1000;
  let end: number | undefined;
  let unseen = true;
  for (;;) {
    const late = end === undefined && clock.now() >= latest;
    const { delivery, trouble, missing } = looked(await lookAtGateway(gateway, port, signal), late);
    if (delivery !== "unseen") unseen = false;
    if (trouble !== undefined) return { trouble, unseen };
    if (delivery === "changed" || delivery === "unseen" || late) end ??= clock.now() + watch.watchSeconds * 1000;
    if (end !== undefined && clock.now() >= end && !missing) return { unseen };
    await clock.sleep(watch.pollSeconds * 1000, signal);
  }
}

interface Look {
  readonly delivery: Delivery;
  readonly trouble: string | undefined;
  /** A pod is not ready now. */
  readonly missing: boolean;
}

/** What one look after another says; some things are believed only when they are seen again. */
function looksAt(
  step: RolloutStep,
  { gateway, read, deliverSeconds }: Watch,
): (now: GatewayState, late: boolean) => Look {
  const about = namesOf(step.plugin, gateway.namespace);
  let missing = 0;
  let standIns = 0;
  return (now, late) => {
    const lost = lostPods(step.before, now);
    missing = lost === undefined ? 0 : missing + 1;
    const delivery = deliveryOf(about.name, step.before.delivered, now.delivered);
    // The reason is in the log, which is read beside: one more look finds it.
    standIns += delivery === "stand-in" ? 1 : 0;
    const undelivered = late && !(delivery === "same" && step.mayStay);
    const trouble =
      worseSince(step.before, now, { read, about }) ??
      (missing >= looks ? lost : undefined) ??
      (standIns > 1 ? "not fetched: the gateway has a stand-in for it" : undefined) ??
      (undelivered ? `not delivered within ${deliverSeconds} s` : undefined);
    return { delivery, trouble, missing: missing > 0 };
  };
}

/** By these a log line is about this plugin: its full name, and the path of its module without tag and scheme. */
function namesOf({ metadata, spec }: WasmPlugin, namespace: string): PluginNames {
  const path = (spec?.url ?? "").replace(/^[a-z]{1,10}:\/\/[^/]{0,300}\//, "").replace(/[:@][^/]{0,100}$/, "");
  return { name: `${namespace}.${metadata.name}`, path };
}

interface VerdictOptions {
  readonly read: (line: string) => Sighting | undefined;
  readonly about: PluginNames;
}

/** How lines of a log name a plugin. */
interface PluginNames {
  /** NAMESPACE.NAME, as Envoy says it. */
  readonly name: string;
  /** Of its module on its host, as the agent says it; empty when it has none. */
  readonly path: string;
}

/** What became worse since `before`, in a few words; `undefined` when nothing did. */
function worseSince(before: GatewayState, now: GatewayState, options: VerdictOptions): string | undefined {
  return crashed(before, now) ?? failed(before, now) ?? said(before, now, options);
}

/** Fewer pods are ready than before. Alone it may be a passing probe, so the caller asks more than once. */
function lostPods(before: GatewayState, now: GatewayState): string | undefined {
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
  const news = [...now.lines].filter((line) => !before.lines.has(line));
  const own = news.flatMap((line, at) => {
    const sighting = read(line);
    if (sighting === undefined || sighting.symptom.severity !== "error") return [];
    const whose = subjectOf(news, at, about);
    // Trouble that was there before goes on being said; without a name it is news only when it is of a new kind.
    return whose === "its" || (whose === "nobody's" && !old.has(sighting.symptom.id)) ? [sighting] : [];
  });
  // One failure is many lines: the cause among them, and what follows from it.
  const [cause] = own.sort((a, b) => a.symptom.rank - b.symptom.rank);
  return cause === undefined ? undefined : `${cause.symptom.id}: ${cause.line}`;
}

/** Envoy says what is wrong first and of which plugin after: within so many lines, seen in 1.27, 1.36 and 1.40. */
const linesToName = 3;
const named =
  /(?:Plugin|Wasm (?:plugin|HTTP filter|Network filter)|wasm log) ([a-z0-9-]{1,63}\.[a-z0-9.-]{1,253}?)(?::| failed|[\s,;]|$)|cannot fetch Wasm module ([^ ]{1,300}?):? /;

function subjectOf(
  lines: readonly string[],
  at: number,
  { name, path }: PluginNames,
): "its" | "another's" | "nobody's" {
  for (const line of lines.slice(at, at + 1 + linesToName)) {
    const [, byEnvoy, byAgent] = named.exec(line) ?? [];
    if (byEnvoy !== undefined) return byEnvoy === name ? "its" : "another's";
    if (byAgent === undefined) continue;
    const bare = byAgent.replace(/[:@][^/]{0,100}$/, "");
    return path !== "" && bare.endsWith(`/${path}`) ? "its" : byAgent === name ? "its" : "another's";
  }
  return "nobody's";
}
