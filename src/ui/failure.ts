import { Failure, isFailure, type FailureFacts } from "../model/failure.ts";
import type { Finding, FindingFacts } from "../model/finding.ts";
import { sanitize } from "../model/sanitize.ts";
import { fill } from "./fill.ts";
import { catalogueOf, type Language } from "./language.ts";
import { misuseWords } from "./messages/parser-words.ts";
import { characterWords, documentWords, placedWords, problemWords } from "./messages/problem-words.ts";
import { chartWords, reasonWords } from "./messages/reason-words.ts";
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
    hint: fill(sentence.hint, error.facts, {
      ...words.remedies.tls,
      ...words.remedies.denied,
      ...words.remedies.image,
    }),
    causes: causesOf(error.cause),
  };
}

/** What the facts of a failure are called in the reader's language, where they are sentences themselves. */
function termsOf(error: Failure, language: Language): Readonly<Record<string, string>> {
  if (isFailure(error, "USAGE")) return wordsOfMisuse(error.facts, language);
  if (isFailure(error, "BUNDLE_MALFORMED")) return documentWords(error.facts, language);
  if (
    isFailure(
      error,
      "REGISTRY_TLS",
      "REGISTRY_UNAUTHORIZED",
      "IMAGE_UNUSABLE",
      "PLUGIN_ABSENT",
      "CONTENT_MISMATCH",
      "PLATFORM_MISSING",
      "RECEIPT_MISSING",
      "CONTENT_MISSING",
    )
  )
    return catalogueOf(language).terms;
  if (isFailure(error, "FILE_UNREADABLE", "FILE_UNWRITABLE", "REGISTRY_UNREACHABLE", "SERVER_UNUSABLE", "OUTPUT_LOST"))
    return wordsOfReason("reason", error.facts.reason, language);
  if (isFailure(error, "CHART_UNUSABLE")) return { [`why.${error.facts.why}`]: chartWords(error.facts.why, language) };
  if (isFailure(error, "CREDENTIALS_UNUSABLE", "KEY_UNUSABLE")) return wordsOfReason("why", error.facts.why, language);
  if (isFailure(error, "VOLUME_UNUSABLE"))
    return { [`why.${error.facts.why}`]: visible(placedWords(error.facts.why, language)) };
  if (isFailure(error, "REFERENCE_INVALID")) return wordsOfCharacter(error.facts.why, language);
  if (!isFailure(error, "CONFIG_INVALID")) return {};
  const { problems } = error.facts;
  return { [`problems.${problems}`]: visible(problemWords(problems, language)) };
}

function wordsOfReason(name: string, reason: string, language: Language): Readonly<Record<string, string>> {
  return { [`${name}.${reason}`]: reasonWords(reason, language) };
}

function wordsOfMisuse(facts: FailureFacts["USAGE"], language: Language): Readonly<Record<string, string>> {
  const { what, wrong } = facts;
  return wrong === undefined ? {} : { [`what.${what}`]: fill(misuseWords[language][wrong], facts) };
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
  const terms = {
    ...words.terms,
    ...character,
    ...wordsOfCode(found, language),
    ...wordsOfDocument(found, language),
    ...why.message,
  };
  return {
    code: found.code,
    severity: words.severities[found.severity],
    message: fill(sentence.message, found.facts, terms),
    remedy: fill(sentence.hint, found.facts, { ...words.terms, ...words.remedies.tls, ...why.hint }),
  };
}

/** What a system answered by a code. */
function wordsOfCode(found: Finding, language: Language): Readonly<Record<string, string>> {
  const { reason, why } = found.facts as { readonly reason?: unknown; readonly why?: unknown };
  if (found.code === "registry.unreachable") return wordsOfReason("reason", String(reason), language);
  return found.code === "bundle.sm3-sums-unusable" ? wordsOfReason("why", String(why), language) : {};
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
