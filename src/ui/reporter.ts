import type { Event, Report } from "../model/event.ts";
import type { Finding } from "../model/finding.ts";
import { describeFailure } from "./failure.ts";
import { catalogueOf, type Language } from "./language.ts";
import { lineOf, progressLine, unstyled, type Style } from "./lines.ts";
import { advance, startProgress, type Progress } from "./progress.ts";
import { fit } from "./width.ts";

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
  const state: { progress: Progress | undefined; drawnAt: number; drawn: boolean } = {
    progress: undefined,
    drawnAt: 0,
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
      options.write(fit(line, options.columns() - 1));
      state.drawn = true;
    } else options.write(options.mode === "plain" ? `${line}\n` : jsonProgress(progress));
  };
  const report: Report = (event) => {
    if (event.type === "finding") findings.push(event.finding);
    if (event.type === "transfer") state.progress = startProgress(event, options.now());
    if (state.progress !== undefined) advance(state.progress, event);
    if (event.type === "phase" && event.state !== "started") state.progress = undefined;
    const line = options.mode === "json" ? jsonLine(event) : lineOf(event, options.language, options.style ?? unstyled);
    if (line !== undefined) {
      clear();
      options.write(`${line}\n`);
    }
    if (state.progress !== undefined && event.type === "moved") draw(state.progress);
  };
  const failure = (error: unknown): void => {
    clear();
    options.write(
      options.mode === "json"
        ? `${JSON.stringify({ type: "failure", ...describeFailure(error, options.language) })}\n`
        : failureText(error, options),
    );
  };
  return { report, findings, failure, close: clear };
}

function jsonLine(event: Event): string | undefined {
  return event.type === "moved" ? undefined : JSON.stringify(event);
}

function jsonProgress(progress: Progress): string {
  const { phase, moved, total, items, itemsDone } = progress;
  return `${JSON.stringify({ type: "progress", phase, moved, total, items, itemsDone })}\n`;
}

function failureText(error: unknown, options: ReporterOptions): string {
  const { code, side, message, hint, causes } = describeFailure(error, options.language);
  const style = options.style ?? unstyled;
  const words = catalogueOf(options.language).words;
  const lines = [style("bad", `✗ ${side}: ${message} [${code}]`)];
  if (hint !== "") lines.push(`  ${words.hint}: ${hint}`);
  if (options.verbose === true) lines.push(...causes.map((cause) => style("dim", `  ${words.cause}: ${cause}`)));
  return `${lines.join("\n")}\n`;
}
