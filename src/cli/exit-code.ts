import { isFailure, type FailureCode } from "../model/failure.ts";

/** 0 done, 1 failed, 2 usage, 3 findings, 130 interrupted: documented, and the same for every command. */
export const ExitCode = { done: 0, failed: 1, usage: 2, findings: 3, interrupted: 130 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The command line or a file written by hand decides, and nothing was done. */
const usage: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "USAGE",
  "CONFIG_INVALID",
  "FILE_ENCODING",
  "NOT_CONFIRMED",
]);

/** How a command ends that stopped with this code. */
export function exitCodeFor(code: FailureCode): ExitCode {
  if (code === "INTERRUPTED") return ExitCode.interrupted;
  if (code === "FINDINGS") return ExitCode.findings;
  return usage.has(code) ? ExitCode.usage : ExitCode.failed;
}

export function exitCodeOf(error: unknown, interrupted: boolean): ExitCode {
  if (interrupted) return ExitCode.interrupted;
  return isFailure(error) ? exitCodeFor(error.code) : ExitCode.failed;
}
