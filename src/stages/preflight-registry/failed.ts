import { isFailure, type Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { Asking, Question } from "./context.ts";

/** What a question that broke is to a reader: its cause where the cause has a name, else that nobody answered. */
export function failedQuestion({ input, realm }: Asking, { question, project }: Question, failure: Failure): Finding {
  const { host } = input;
  if (isFailure(failure, "REGISTRY_LOGIN_WRONG"))
    return finding("error", "registry.credentials-wrong", { host, as: failure.facts.as });
  if (isFailure(failure, "REGISTRY_TOKEN_REFUSED")) {
    const { as, why } = failure.facts;
    return finding("error", "registry.token-refused", { host, as, why });
  }
  const { action } = failure.facts as { readonly action?: unknown };
  const reason = reasonOf(failure);
  if (action === "GET token") return finding("error", "registry.token-service", { host, realm: realm ?? "?", reason });
  const subject = project === undefined ? host : `${host}/${project}`;
  return finding("error", "registry.unanswered", { subject, question, reason });
}

/** One cause is one finding, however many questions it spoiled: the first says it. */
export function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter((found) => {
    if (found.severity !== "error") return true;
    const cause = Object.entries(found.facts).filter(([name]) => name !== "question" && name !== "subject");
    const key = `${found.code} ${JSON.stringify(cause)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

export function reasonOf(failure: Failure): string {
  const facts = failure.facts as Readonly<Record<string, unknown>>;
  const words = [facts["status"], facts["reason"], facts["answer"], facts["why"]].filter(
    (each) => each !== undefined && each !== "",
  );
  return [failure.code, ...words.map(String)].join(" ").slice(0, 200);
}
