import type { Event, Phase } from "../model/event.ts";
import { hasErrors, type Finding } from "../model/finding.ts";
import { printBytes } from "../std/bytes.ts";
import { unreachable } from "../std/unreachable.ts";
import { fill } from "./fill.ts";
import { describeFinding, type FindingText } from "./failure.ts";
import { catalogueOf, type Language } from "./language.ts";
import type { Catalogue } from "./messages/vocabulary.ts";
import { fitMiddle, visible, widthOf } from "./width.ts";
import { pace, printSeconds, type Activity, type Progress } from "./progress.ts";

export type Style = (kind: "good" | "warn" | "bad" | "dim", text: string) => string;
export const unstyled: Style = (_kind, text) => text;

export interface LineOptions {
  /** In the phase that ends. */
  readonly found?: readonly Finding[] | undefined;
  /** A line also for each item that was moved: where no progress line shows them. */
  readonly items?: boolean | undefined;
}

/**
 * The line that an event is worth, or `undefined`: bytes in motion are the progress line's business.
 */
export function lineOf(
  event: Event,
  language: Language,
  style: Style = unstyled,
  options: LineOptions = {},
): string | undefined {
  const words = catalogueOf(language);
  const { colon } = words.punctuation;
  if (isUnspoken(event)) return undefined;
  switch (event.type) {
    case "phase":
      return phaseLine(event, language, style, options.found);
    case "transfer":
      return transferLine(event, words);
    case "item":
      return itemLine(event, style, options.items === true);
    case "retry":
      return style(
        "warn",
        `  ↻ ${words.words.retrying}${colon}${visible(event.what)} (${visible(event.why)}) #${event.attempt} +${printSeconds(event.wait / 1000)}`,
      );
    case "stalled":
      return style("warn", `  … ${words.words.stalled}${colon}${visible(event.what)} ${event.seconds}s`);
    case "finding":
      return findingLines([event.finding], language, style).join("\n");
    case "note":
      return `  ${fill(words.notes[event.text], event.facts, words.terms)}`;
    default:
      return unreachable(event);
  }
}

/** The progress line shows what is under way. */
function isUnspoken(event: Event): event is Extract<Event, { type: "job" | "step" | "moved" }> {
  return event.type === "job" || event.type === "step" || event.type === "moved";
}

function transferLine({ phase, items, bytes }: Extract<Event, { type: "transfer" }>, words: Catalogue): string {
  return `  ${fill(phase === "verify" ? words.reading : words.transfer, { items, size: printBytes(bytes) })}`;
}

/** What is there already is not worth a line. */
function itemLine(event: Extract<Event, { type: "item" }>, style: Style, items: boolean): string | undefined {
  if (event.state === "failed") return style("bad", `  ✗ ${visible(event.name)}`);
  if (!items || event.state === "present" || event.phase === "verify") return undefined;
  return `  ${visible(event.name)} · ${printBytes(event.bytes)}`;
}

function phaseLine(
  event: Extract<Event, { type: "phase" }>,
  language: Language,
  style: Style,
  found: readonly Finding[] = [],
): string {
  const words = catalogueOf(language);
  const detail = event.detail === undefined ? "" : ` (${visible(event.detail)})`;
  if (event.state === "started") return `▸ ${words.phases[event.phase]}${detail}`;
  if (event.state === "skipped")
    return style("dim", `- ${words.phases[event.phase]}${words.punctuation.colon}${words.words.skipped}${detail}`);
  const line = `${words.phases[event.phase]}${detail}${tally(event.phase, found, language)}`;
  return hasErrors(found) ? style("bad", `✗ ${line}`) : style("good", `✓ ${line}`);
}

const looking: ReadonlySet<Phase> = new Set<Phase>(["verify", "preflight", "prove", "check"]);

/** `: errors 2, warnings 1`; of a phase that looks for faults also that there are none. */
function tally(phase: Phase, found: readonly Finding[], language: Language): string {
  const { words, punctuation } = catalogueOf(language);
  const kinds = [
    ["errors", "error"],
    ["warnings", "warning"],
    ["notes", "note"],
  ] as const;
  const counts = kinds.map(([word, severity]) => [
    words[word],
    found.filter((each) => each.severity === severity).length,
  ]);
  const said = counts.filter(([, count]) => count !== 0).map(([word, count]) => `${word} ${count}`);
  if (said.length > 0) return `${punctuation.colon}${said.join(punctuation.comma)}`;
  return looking.has(phase) ? `${punctuation.colon}${words["no-findings"]}` : "";
}

/** Up to so many findings of one kind are told one by one. */
const few = 2;

/**
 * What was found together: each with what to do. Of many that are alike and have the same remedy, that is said once, below
 * a line for each.
 */
export function findingLines(
  found: readonly Finding[],
  language: Language,
  style: Style = unstyled,
): readonly string[] {
  const groups = new Map<string, { readonly first: Finding; readonly all: FindingText[] }>();
  for (const each of found) {
    const described = describeFinding(each, language);
    const key = JSON.stringify([each.severity, each.code, described.remedy]);
    const group = groups.get(key) ?? { first: each, all: [] };
    groups.set(key, group);
    group.all.push(described);
  }
  return [...groups.values()].flatMap(({ first: { severity }, all }) => {
    const paint = (line: string): string => style(paints[severity], line);
    const remedy = all[0]?.remedy ?? "";
    const next = remedy === "" ? [] : [`    → ${remedy}`];
    if (all.length <= few) return all.flatMap((one) => [paint(headOf(one, one.message)), ...next]);
    const [one] = all;
    if (one === undefined) return [];
    return [paint(headOf(one, `× ${all.length}`)), ...all.map(({ message }) => `    ${message}`), ...next];
  });
}

const paints = { error: "bad", warning: "warn", note: "dim" } as const;

function headOf({ severity, code }: FindingText, text: string): string {
  return `  ${severity} [${code}] ${text}`;
}

/** One line about the running transfer: share, bytes, rate, time left, and what is moving. */
export function progressLine(progress: Progress, now: number, language: Language, columns?: number): string {
  const words = catalogueOf(language);
  const share = progress.total === 0 ? 100 : Math.min(100, Math.floor((progress.moved / progress.total) * 100));
  const speed = pace(progress, now);
  const moving = [...progress.active.keys()].slice(0, 3).join(" ");
  const parts = [
    `${share}%`,
    `${printBytes(progress.moved)}/${printBytes(progress.total)}`,
    ...(speed === undefined
      ? []
      : [`${printBytes(speed.rate)}/s`, `${words.words.left} ${printSeconds(speed.secondsLeft)}`]),
    `${progress.itemsDone}/${progress.items}`,
  ];
  return withName(parts, moving, columns);
}

/** One line about a phase that moves no bytes: how many of how many, for how long, and what is under way. */
export function activityLine(activity: Activity, now: number, language: Language, columns?: number): string {
  const { phase, since, step } = activity;
  const lasted = printSeconds((now - since) / 1000);
  if (step === undefined) return withName([lasted], catalogueOf(language).phases[phase], columns);
  return withName([`${step.done}/${step.items}`, lasted], step.name, columns);
}

/** A name takes the columns that are left: of an image its end says most, and what it is called there is wanted too. */
function withName(parts: readonly string[], name: string, columns = Number.POSITIVE_INFINITY): string {
  const line = `  ${parts.join(" · ")}`;
  const left = columns - widthOf(line) - 3;
  const shown = fitMiddle(visible(name), left);
  return left < leastName || shown === "" ? line : `${line} · ${shown}`;
}

const leastName = 8;

/** How far a job of several phases is, before the line of the one that runs: `[==>--]`. */
export function jobBar(job: readonly Phase[], phase: Phase): string {
  const at = job.indexOf(phase);
  if (at < 0 || job.length < 2) return "";
  return `  [${"=".repeat(at)}>${"-".repeat(job.length - at - 1)}]`;
}
