import { Failure, failureCodes, type FailureCode } from "../model/failure.ts";
import type { FindingCode } from "../model/finding.ts";
import { catalogueOf, type Language } from "./language.ts";
import type { Catalogue } from "./messages/vocabulary.ts";

/** What is known of a code without an occurrence of it: facts stand as `<host>`. */
export interface Explanation {
  readonly code: FailureCode | FindingCode;
  readonly kind: "failure" | "finding";
  readonly message: string;
  readonly hint: string;
  /** Where failures of this code are, unless they say otherwise. */
  readonly side?: string | undefined;
}

/** Every code of every failure and finding, failures first. */
export function explanations(language: Language): readonly Explanation[] {
  const words = catalogueOf(language);
  const { failures, findings, sides } = words;
  const findingCodes = Object.keys(findings) as FindingCode[];
  return [
    ...failureCodes.map((code) => {
      const side = sides[new Failure(code, {} as never).side];
      return { code, kind: "failure" as const, ...withNames(code, failures[code], words), side };
    }),
    ...findingCodes.map((code) => ({ code, kind: "finding" as const, ...withNames(code, findings[code], words) })),
  ];
}

function withNames(
  code: FailureCode | FindingCode,
  { message, hint }: { readonly message: string; readonly hint: string },
  words: Catalogue,
): { readonly message: string; readonly hint: string } {
  const named = (text: string): string => text.replace(/\{([a-zA-Z]+)\}/g, "<$1>");
  return { message: named(message), hint: everyRemedy(code, hint, words) ?? named(hint) };
}

/** Of a code whose remedy goes by its cause: each. */
function everyRemedy(code: FailureCode | FindingCode, hint: string, words: Catalogue): string | undefined {
  const { terms, remedies } = words;
  if (hint === "{because}")
    return Object.values(remedies.denied)
      .map((remedy) => `\n- ${remedy}`)
      .join("");
  const byCause = hint === "{fault}" ? remedies.tls : code === "IMAGE_UNUSABLE" ? remedies.image : undefined;
  if (byCause === undefined) return undefined;
  const names: Readonly<Record<string, string>> = terms;
  return Object.entries(byCause)
    .map(([cause, remedy]) => `\n- ${names[cause] ?? cause}: ${remedy}`)
    .join("");
}
