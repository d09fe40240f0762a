import type { Event, Phase, Report } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import type { Finding } from "../model/finding.ts";
import { describeFailure, describeFinding } from "./failure.ts";
import { catalogueOf, type Language } from "./language.ts";
import { activityLine, findingLines, jobBar, lineOf, progressLine, unstyled, type Style } from "./lines.ts";
import { advance, startProgress, type Activity, type Progress } from "./progress.ts";
import { fit, visible, visibleJson, widthOf } from "./width.ts";

export interface ReporterOptions {
  readonly mode: "terminal" | "plain" | "json";
  readonly write: (text: string) => void;
  readonly language: Language;
  readonly columns: () => number;
  readonly now: () => number;
  readonly style?: Style | undefined;
  readonly verbose?: boolean | undefined;
  /** How whoever reads this starts the program, where that is not by its name. */
  readonly program?: (() => string | undefined) | undefined;
}

/** The one place where words leave the program. Terminal, plain and JSON render the same events. */
export interface Reporter {
  readonly report: Report;
  /** Everything that was found so far, for the summary and the exit code. */
  readonly findings: readonly Finding[];
  failure(error: unknown): void;
  /** Clears a half-drawn progress line. */
  close(): void;
  /** Time has passed: what runs without a word is shown again, with the seconds it takes. */
  tick(): void;
}

/** Redraws on a terminal, lines elsewhere: five times a second there, every ten seconds here. */
const interval = { terminal: 200, plain: 10_000, json: 1_000 } as const;

export function createReporter(options: ReporterOptions): Reporter {
  const findings: Finding[] = [];
  const running = followRun(options);
  const typed = asTyped(options.program);
  let foundBefore = 0;
  const tell = (lines: readonly string[]): void => {
    if (lines.length > 0) running.clear();
    for (const line of lines) options.write(`${typed(line)}\n`);
  };
  const row = findingRow((found) => tell(findingLines(found, options.language, options.style)));
  const report: Report = (event) => {
    if (event.type === "finding") findings.push(event.finding);
    if (event.type === "phase" && event.state === "started") foundBefore = findings.length;
    running.follow(event);
    if (event.type === "finding" && options.mode !== "json") {
      row.add(event);
      return;
    }
    // What is under way is shown below what was found.
    row.end();
    const line = textOf(event, findings.slice(foundBefore), options);
    if (line !== undefined) tell([line]);
    if (event.type === "moved" || event.type === "step") running.draw();
  };
  const close = (): void => {
    row.end();
    running.end();
  };
  const failure = (error: unknown): void => {
    close();
    options.write(options.mode === "json" ? jsonFailure(error, options.language) : typed(failureText(error, options)));
  };
  return { report, findings, failure, close, tick: running.tick };
}

/**
 * Sentences call the program by its name, which no shell finds on a host that has it from a bundle: there a command that is
 * shown begins as the reader's own did. Paths that end in the name are such a beginning already.
 */
function asTyped(program: ReporterOptions["program"]): (line: string) => string {
  return (line) => line.replace(/(?<![\w./-])higress-airgap (?=[a-z])/g, (named) => `${program?.() ?? named.trim()} `);
}

/** Nothing is drawn of what is over before anybody would wonder. */
const unnoticed = 1000;

/** What runs, and the line about it: drawn over on a terminal, one now and then elsewhere. */
function followRun(options: ReporterOptions) {
  const { mode, write, now } = options;
  const state = {
    job: [] as readonly Phase[],
    activity: undefined as Activity | undefined,
    progress: undefined as Progress | undefined,
    drawnAt: -Infinity,
    drawn: false,
  };
  // A terminal shows the first progress at once; a log gets no line for what is over within one interval.
  const begin = (): void => {
    state.drawnAt = mode === "terminal" ? -Infinity : now();
  };
  const clear = (): void => {
    if (state.drawn) write("\r\u001b[2K");
    state.drawn = false;
  };
  const draw = (): void => {
    if (now() - state.drawnAt < interval[mode]) return;
    const phase = state.progress?.phase ?? state.activity?.phase;
    if (phase === undefined) return;
    state.drawnAt = now();
    if (mode === "terminal") {
      clear();
      write(drawnLine(state, phase, options));
      state.drawn = true;
    } else write(mode === "json" ? jsonProgress(state) : `${lineAbout(state, options)}\n`);
  };
  const tick = (): void => {
    const since = state.activity?.since ?? now();
    if (state.progress !== undefined || now() - since >= unnoticed) draw();
  };
  const follow = (event: Event): void => {
    if (event.type === "job") state.job = event.phases;
    if (event.type === "transfer") {
      state.progress = startProgress(event, now());
      begin();
    }
    if (state.progress !== undefined) advance(state.progress, event);
    if (event.type === "step") {
      if (state.activity === undefined) begin();
      const { phase, name, done, items } = event;
      state.activity = { phase, since: state.activity?.since ?? now(), step: { name, done, items } };
    }
    if (event.type !== "phase") return;
    state.progress = undefined;
    state.activity = event.state === "started" ? { phase: event.phase, since: now() } : undefined;
    begin();
  };
  const end = (): void => {
    clear();
    state.progress = undefined;
    state.activity = undefined;
  };
  return { follow, draw, tick, clear, end };
}

interface Running {
  readonly activity: Activity | undefined;
  readonly progress: Progress | undefined;
}

function lineAbout({ activity, progress }: Running, { now, language }: ReporterOptions, columns?: number): string {
  if (progress !== undefined) return progressLine(progress, now(), language, columns);
  return activity === undefined ? "" : activityLine(activity, now(), language, columns);
}

function drawnLine(running: Running & { readonly job: readonly Phase[] }, phase: Phase, options: ReporterOptions) {
  const columns = columnsOf(options);
  const bar = jobBar(running.job, phase);
  return fit(`${bar}${lineAbout(running, options, columns - widthOf(bar))}`, columns);
}

/** Alike ones among findings of one list are told together, so its end is waited for. */
function findingRow(tell: (found: readonly Finding[]) => void) {
  let row: Finding[] = [];
  const end = (): void => {
    const found = row;
    row = [];
    tell(found);
  };
  const add = ({ finding, more = false }: Extract<Event, { type: "finding" }>): void => {
    row.push(finding);
    if (!more) end();
  };
  return { add, end };
}

function textOf(
  event: Event,
  found: readonly Finding[],
  { mode, language, style }: ReporterOptions,
): string | undefined {
  if (mode === "json") return jsonLine(event, language);
  return lineOf(event, language, style ?? unstyled, { found, items: mode === "plain" });
}

/** Facts for machines, and the sentence for whoever reads what the machine shows. */
function jsonLine(event: Event, language: Language): string | undefined {
  if (event.type === "moved" || event.type === "step") return undefined;
  if (event.type !== "finding") return JSON.stringify(visibleJson(event));
  const { type, finding } = event;
  const { message, remedy } = describeFinding(finding, language);
  return JSON.stringify(visibleJson({ type, finding, message, remedy }));
}

function jsonFailure(error: unknown, language: Language): string {
  // The side by its name, which a program compares; only sentences are in the reader's language.
  const { side, facts } = isFailure(error) ? error : { side: "host", facts: {} };
  return `${JSON.stringify(visibleJson({ type: "failure", ...describeFailure(error, language), side, facts }))}\n`;
}

/** One column stays free: a terminal that wraps at the last one could not clear the line. Some say 0 for "not known". */
function columnsOf(options: ReporterOptions): number {
  const columns = options.columns();
  return Math.max(20, columns > 0 ? columns : 80) - 1;
}

function jsonProgress({ activity, progress }: Running): string {
  if (progress !== undefined) {
    const { phase, moved, total, items, itemsDone } = progress;
    return `${JSON.stringify({ type: "progress", phase, moved, total, items, itemsDone })}\n`;
  }
  if (activity?.step === undefined) return "";
  const { name, done, items } = activity.step;
  return `${JSON.stringify({ type: "progress", phase: activity.phase, name: visible(name), items, itemsDone: done })}\n`;
}

function failureText(error: unknown, options: ReporterOptions): string {
  const { code, side, message, hint, causes } = describeFailure(error, options.language);
  const style = options.style ?? unstyled;
  const { words, punctuation } = catalogueOf(options.language);
  const { colon } = punctuation;
  const lines = [style("bad", `✗ ${side}${colon}${message} [${code}]`)];
  if (hint !== "") lines.push(`  ${words.hint}${colon}${hint}`);
  if (options.verbose === true) lines.push(...causes.map((cause) => style("dim", `  ${words.cause}${colon}${cause}`)));
  return `${lines.join("\n")}\n`;
}
