import type { Sighting } from "../../model/symptom.ts";
import type { GatewayState } from "./gateway.ts";

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
