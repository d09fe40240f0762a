import type { Phase, Report } from "../model/event.ts";
import { Failure } from "../model/failure.ts";
import { hasErrors, type Finding } from "../model/finding.ts";

export interface PhaseContext {
  readonly skip: ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** Runs one phase between its events, or says that it was left out. */
export async function phase<T>(name: Phase, context: PhaseContext, work: () => Promise<T>): Promise<T | undefined> {
  context.signal.throwIfAborted();
  if (context.skip.has(name)) {
    context.report({ type: "phase", phase: name, state: "skipped" });
    return undefined;
  }
  context.report({ type: "phase", phase: name, state: "started" });
  const result = await work();
  context.report({ type: "phase", phase: name, state: "done" });
  return result;
}

/** Reports all findings, then stops if one of them is an error. @throws Failure FINDINGS */
export function stopAt(findings: readonly Finding[], report: Report): void {
  for (const found of findings) report({ type: "finding", finding: found });
  if (hasErrors(findings))
    throw new Failure("FINDINGS", { count: findings.filter(({ severity }) => severity === "error").length });
}
