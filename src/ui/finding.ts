import type { Finding, FindingFacts } from "../model/finding.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language } from "./language.ts";
import { documentWords } from "./messages/malformed.ts";

export interface FindingText {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly remedy: string;
}

export function describeFinding(found: Finding, language: Language): FindingText {
  const words = catalogueOf(language);
  const sentence = words.findings[found.code];
  const terms = { ...words.terms, ...wordsOfDocument(found, language) };
  return {
    code: found.code,
    severity: words.severities[found.severity],
    message: fill(sentence.message, found.facts, terms),
    remedy: fill(sentence.hint, found.facts, words.terms),
  };
}

/** What is wrong in a document is a sentence itself. */
function wordsOfDocument(found: Finding, language: Language): Readonly<Record<string, string>> {
  if (found.code !== "bundle.document-wrong") return {};
  const { where, why } = found.facts as FindingFacts["bundle.document-wrong"];
  return documentWords({ where, why }, language);
}
