import { finding, type Finding, type FindingFacts } from "../../model/finding.ts";
import { sanitize } from "../../model/sanitize.ts";
import type { StartLine, StartResult } from "./ports.ts";

export interface StartVerdict {
  readonly start: "configured" | "refused" | "not-checkable";
  readonly findings: readonly Finding[];
}

export interface Started {
  readonly name: string;
  readonly config?: string | undefined;
}

/**
 * What a start means. Without a configuration a refusal means nothing: most plugins want one, and it may come with the
 * first route. So it is a note then, and an error only for the configuration that the gateway will really be given.
 */
export function judgeStart(input: Started, result: StartResult): StartVerdict {
  const plugin = input.name;
  const words = refusal(result.logs);
  if (result.error?.step === "compile")
    return refused("plugin.not-wasm", { plugin, why: sanitize(result.error.why, 300) });
  const stop = whereItStopped(input, result);
  if (stop !== undefined)
    return refused("plugin.start-failed", { plugin, words: words === "" ? stop : `${stop} (${words})` });
  if (result.steps.configure === 1) return { start: "configured", findings: [] };
  const why = (result.error === undefined ? words : sanitize(result.error.why, 300)) || "configure: 0";
  if (input.config !== undefined) return refused("plugin.config-refused", { plugin, words: why });
  return { start: "not-checkable", findings: [finding("note", "plugin.not-checkable", { plugin, why })] };
}

/** The step that ended the start, unless it is one that wanted a configuration and had none. */
function whereItStopped(input: Started, { steps, error }: StartResult): string | undefined {
  if (steps.vm === 0) return "vm: 0";
  if (error === undefined || (error.step === "configure" && input.config === undefined)) return undefined;
  return sanitize(`${error.step}: ${error.why}`, 300);
}

function refused<C extends "plugin.not-wasm" | "plugin.start-failed" | "plugin.config-refused">(
  code: C,
  facts: FindingFacts[C],
): StartVerdict {
  return { start: "refused", findings: [finding("error", code, facts)] };
}

const loud: ReadonlySet<string> = new Set(["warn", "error", "critical", "stderr"]);

/** The plugin's own last loud words, else its last words: that is where it says what it did not like. */
function refusal(logs: readonly StartLine[]): string {
  const complaints = logs.filter(({ level }) => loud.has(level));
  const lines = (complaints.length > 0 ? complaints : logs).slice(-3).map(({ text }) => sanitize(text, 300));
  return lines.filter((line) => line !== "").join("; ");
}
