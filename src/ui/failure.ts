import { Failure, isFailure } from "../model/failure.ts";
import type { Finding, FindingFacts } from "../model/finding.ts";
import { sanitize } from "../model/sanitize.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language } from "./language.ts";
import { characterWords, documentWords, placedWords, problemWords } from "./messages/problem-words.ts";
import { visible } from "./width.ts";

export interface FailureText {
  readonly code: string;
  readonly side: string;
  readonly message: string;
  readonly hint: string;
  /** Innermost causes, as their authors worded them; for `--verbose`. */
  readonly causes: readonly string[];
}

/** What anything that was thrown is to a reader: a failure's sentence, or a bug with where to report it. */
export function describeFailure(error: unknown, language: Language): FailureText {
  const words = catalogueOf(language);
  if (!isFailure(error)) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return {
      code: "BUG",
      side: words.sides.host,
      message: sanitize(message),
      hint: words.words.bug,
      causes: causesOf(error),
    };
  }
  const sentence = words.failures[error.code];
  return {
    code: error.code,
    side: words.sides[error.side],
    message: fill(sentence.message, error.facts, termsOf(error, language)),
    hint: fill(sentence.hint, error.facts, { ...words.tlsRemedies, ...words.deniedRemedies }),
    causes: causesOf(error.cause),
  };
}

/** What the facts of a failure are called in the reader's language, where they are sentences themselves. */
function termsOf(error: Failure, language: Language): Readonly<Record<string, string>> {
  if (isFailure(error, "BUNDLE_MALFORMED")) return documentWords(error.facts, language);
  if (isFailure(error, "REGISTRY_TLS", "IMAGE_UNUSABLE", "PLATFORM_MISSING", "RECEIPT_MISSING", "CONTENT_MISSING"))
    return catalogueOf(language).terms;
  if (isFailure(error, "VOLUME_UNUSABLE"))
    return { [`why.${error.facts.why}`]: visible(placedWords(error.facts.why, language)) };
  if (isFailure(error, "REFERENCE_INVALID")) return wordsOfCharacter(error.facts.why, language);
  if (!isFailure(error, "CONFIG_INVALID")) return {};
  const { problems } = error.facts;
  return { [`problems.${problems}`]: visible(problemWords(problems, language)) };
}

function wordsOfCharacter(why: string, language: Language): Readonly<Record<string, string>> {
  return why.startsWith("U+") ? { [`why.${why}`]: characterWords(why, language) } : {};
}

function causesOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > 5) return [];
  return [sanitize(`${error.name}: ${error.message}`), ...causesOf(error.cause, depth + 1)];
}

export interface FindingText {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly remedy: string;
}

export function describeFinding(found: Finding, language: Language): FindingText {
  const words = catalogueOf(language);
  const sentence = words.findings[found.code];
  const why = whyUnresolved(found, language);
  const character = wordsOfCharacter((found.facts as { readonly why?: string }).why ?? "", language);
  const terms = { ...words.terms, ...character, ...wordsOfDocument(found, language), ...why.message };
  return {
    code: found.code,
    severity: words.severities[found.severity],
    message: fill(sentence.message, found.facts, terms),
    remedy: fill(sentence.hint, found.facts, { ...words.terms, ...words.tlsRemedies, ...why.hint }),
  };
}

/** What is wrong in a document is a sentence itself. */
function wordsOfDocument(found: Finding, language: Language): Readonly<Record<string, string>> {
  if (found.code !== "bundle.document-wrong") return {};
  const { where, why } = found.facts as FindingFacts["bundle.document-wrong"];
  return documentWords({ where, why }, language);
}

/** Why something could not be had is the sentence of a failure, and what to do about it too. */
function whyUnresolved(
  found: Finding,
  language: Language,
): { readonly message?: Readonly<Record<string, string>>; readonly hint?: Readonly<Record<string, string>> } {
  if (found.code !== "source.unresolved" && found.code !== "tool.unfetched") return {};
  const { why, about } = found.facts as FindingFacts["source.unresolved" | "tool.unfetched"];
  const { message, hint } = describeFailure(new Failure(why, about), language);
  return { message: { [`why.${why}`]: `${message} [${why}]` }, hint: { [`why.${why}`]: hint } };
}
