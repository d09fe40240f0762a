import type { InstallEvidence } from "../model/evidence.ts";
import { Failure } from "../model/failure.ts";
import type { Finding } from "../model/finding.ts";
import { describeFailure, type FailureText, describeFinding } from "./failure.ts";
import type { Language } from "./language.ts";

export interface DescribedEvidence {
  readonly failure: Pick<FailureText, "code" | "side" | "message" | "hint"> | undefined;
  readonly findings: readonly (Finding & {
    readonly severityText: string;
    readonly message: string;
    readonly remedy: string;
  })[];
}

/** Codes and facts are for machines; what is passed on to people needs the sentences. */
export function describeEvidence({ failure, findings }: InstallEvidence, language: Language): DescribedEvidence {
  return {
    failure: failure === undefined ? undefined : failureText(failure, language),
    findings: findings.map((found) => {
      const { message, remedy, severity } = describeFinding(found, language);
      return { ...found, severityText: severity, message, remedy };
    }),
  };
}

function failureText(
  { code, side, facts }: NonNullable<InstallEvidence["failure"]>,
  language: Language,
): NonNullable<DescribedEvidence["failure"]> {
  const error = code === "BUG" ? new TypeError(JSON.stringify(facts)) : new Failure(code, facts as never, { side });
  const { code: known, side: where, message, hint } = describeFailure(error, language);
  return { code: known, side: where, message, hint };
}
