import type { Finding } from "../model/finding.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language } from "./language.ts";

export interface FindingText {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly remedy: string;
}

export function describeFinding(found: Finding, language: Language): FindingText {
  const words = catalogueOf(language);
  const sentence = words.findings[found.code];
  return {
    code: found.code,
    severity: words.severities[found.severity],
    message: fill(sentence.message, found.facts, words.terms),
    remedy: fill(sentence.hint, found.facts, words.terms),
  };
}
