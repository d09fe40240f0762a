/** Why a registry that knows us says no; each has a remedy of its own. */
export type DeniedBecause = "quota" | "read-only" | "proxy" | "other";

/** By Harbor's own sentence: its code is DENIED for all of them. */
export function deniedBecause(answer: string): DeniedBecause {
  if (/\bquota\b|configured upper limit/.test(answer)) return "quota";
  if (/read[ _]only/.test(answer)) return "read-only";
  return answer.includes("proxy project") ? "proxy" : "other";
}
