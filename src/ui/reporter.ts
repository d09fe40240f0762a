import type { Event, Report } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import type { Finding } from "../model/finding.ts";
import { describeFailure, describeFinding } from "./failure.ts";
import { catalogueOf, type Language } from "./language.ts";
import { findingLines, lineOf, progressLine, unstyled, type Style } from "./lines.ts";
import { advance, startProgress, type Progress } from "./progress.ts";
import { fit, visibleJson } from "./width.ts";

export interface ReporterOptions {
  readonly mode: "terminal" | "plain" | "json";
  readonly write: (text: string) => void;
  readonly language: Language;
  readonly columns: () => number;
  readonly now: () => number;
  readonly style?: Style | undefined;
  readonly verbose?: boolean | undefined;
}

/** The one place where words leave the program. Terminal, plain and JSON render the same events. */
export interface Reporter {
  readonly report: Report;
  /** Everything that was found so far, for the summary and the exit code. */
  readonly findings: readonly Finding[];
  failure(error: unknown): void;
  /** Clears a half-drawn progress line. */
  close(): void;
}

/** Redraws on a terminal, lines elsewhere: five times a second there, every ten seconds here. */
const interval = { terminal: 200, plain: 10_000, json: 1_000 } as const;

export function createReporter(options: ReporterOptions): Reporter {
  const findings: Finding[] = [];
  const state: { progress: Progress | undefined; drawnAt: number; drawn: boolean; foundBefore: number } = {
    progress: undefined,
    foundBefore: 0,
    drawnAt: -Infinity,
    drawn: false,
  };
  const clear = (): void => {
    if (state.drawn) options.write("\r\u001b[2K");
    state.drawn = false;
  };
  const draw = (progress: Progress): void => {
    if (options.now() - state.drawnAt < interval[options.mode]) return;
    state.drawnAt = options.now();
    const line = progressLine(progress, options.now(), options.language);
    if (options.mode === "terminal") {
      clear();
      options.write(fit(line, columnsOf(options)));
      state.drawn = true;
    } else options.write(options.mode === "plain" ? `${line}\n` : jsonProgress(progress));
  };
  const follow = (event: Event): void => {
    if (event.type === "finding") findings.push(event.finding);
    if (event.type === "transfer") {
      state.progress = startProgress(event, options.now());
      // On a terminal the first byte shows; elsewhere a transfer that is over in a moment needs no line.
      state.drawnAt = options.mode === "terminal" ? -Infinity : options.now();
    }
    if (state.progress !== undefined) advance(state.progress, event);
    if (event.type !== "phase") return;
    if (event.state === "started") state.foundBefore = findings.length;
    else state.progress = undefined;
  };
  const tell = (lines: readonly string[]): void => {
    if (lines.length > 0) clear();
    for (const line of lines) options.write(`${line}\n`);
  };
  const row = findingRow((found) => tell(findingLines(found, options.language, options.style)));
  const report: Report = (event) => {
    follow(event);
    if (event.type === "finding" && options.mode !== "json") {
      row.add(event);
      return;
    }
    row.end();
    const line = textOf(event, findings.slice(state.foundBefore), options);
    if (line !== undefined) tell([line]);
    if (state.progress !== undefined && event.type === "moved") draw(state.progress);
  };
  const close = (): void => {
    row.end();
    clear();
  };
  const failure = (error: unknown): void => {
    close();
    options.write(options.mode === "json" ? jsonFailure(error, options.language) : failureText(error, options));
  };
  return { report, findings, failure, close };
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
  if (event.type === "moved") return undefined;
  if (event.type !== "finding") return JSON.stringify(visibleJson(event));
  const { type, finding } = event;
  const { message, remedy } = describeFinding(finding, language);
  return JSON.stringify(visibleJson({ type, finding, message, remedy }));
}

function jsonFailure(error: unknown, language: Language): string {
  const facts = isFailure(error) ? error.facts : {};
  return `${JSON.stringify(visibleJson({ type: "failure", ...describeFailure(error, language), facts }))}\n`;
}

/** One column stays free: a terminal that wraps at the last one could not clear the line. Some say 0 for "not known". */
function columnsOf(options: ReporterOptions): number {
  const columns = options.columns();
  return Math.max(20, columns > 0 ? columns : 80) - 1;
}

function jsonProgress(progress: Progress): string {
  const { phase, moved, total, items, itemsDone } = progress;
  return `${JSON.stringify({ type: "progress", phase, moved, total, items, itemsDone })}\n`;
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
