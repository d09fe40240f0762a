import * as z from "zod";
import { sanitize } from "./sanitize.ts";

const Words = z.strictObject({ en: z.string().min(1).max(600), zh: z.string().min(1).max(600) });

/**
 * A pattern that costs a bounded number of steps per character whatever the line is: no unbounded repetition, no
 * repeated group, no look-around, no back reference. Logs of a gateway hold what strangers sent to it.
 */
const Pattern = z
  .string()
  .min(4)
  .max(200)
  .refine(isBounded, { error: "expected a pattern without *, +, look-around or repeated groups" });

export const Symptom = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  /** Of two that fit one line the lower rank is the cause, and the other its consequence. */
  rank: z.int().min(1).max(99),
  severity: z.enum(["error", "warning", "note"]).default("error"),
  match: z.array(Pattern).min(1).max(12).describe("Any of these"),
  with: z.array(Pattern).max(12).default([]).describe("And any of these, when there are some"),
  symptom: Words,
  cause: Words,
  remedy: Words,
});
export interface Symptom extends z.output<typeof Symptom> {}

/** `manifests/higress/symptoms.yaml`: what a line in a log or an event means, and what to do about it. */
export const SymptomTable = z.strictObject({
  apiVersion: z.literal("higress-airgap/v1"),
  kind: z.literal("SymptomTable"),
  symptoms: z.array(Symptom).min(1).max(300),
});
export interface SymptomTable extends z.output<typeof SymptomTable> {}

export interface Sighting {
  readonly symptom: Symptom;
  /** Sanitized. */
  readonly line: string;
}

const lineLimit = 4096;

/** Compiles the table once; the result names the cause of a line, or nothing. */
export function symptomReader(symptoms: readonly Symptom[]): (line: string) => Sighting | undefined {
  const compile = (patterns: readonly string[]): readonly RegExp[] => patterns.map((text) => new RegExp(text, "i"));
  const readers = symptoms
    .map((symptom) => ({ symptom, match: compile(symptom.match), and: compile(symptom.with) }))
    .sort((a, b) => a.symptom.rank - b.symptom.rank);
  return (whole) => {
    const line = whole.slice(0, lineLimit);
    const fits = (patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(line));
    const found = readers.find(({ match, and }) => fits(match) && (and.length === 0 || fits(and)));
    return found === undefined ? undefined : { symptom: found.symptom, line: sanitize(line, 400) };
  };
}

function isBounded(text: string): boolean {
  if (/\(\?[=!<]|\\[1-9k]/.test(text)) return false;
  const bare = text.replace(/\\./g, "_").replace(/\[[^\]]*\]/g, "_");
  if (/[*+]/.test(bare) || /\)\{/.test(bare)) return false;
  const bounds = [...bare.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, low, high]) => Number(high ?? low));
  try {
    new RegExp(text, "i");
  } catch {
    return false;
  }
  return bounds.length <= 2 && bounds.every((bound) => bound > 0 && bound <= 200);
}
