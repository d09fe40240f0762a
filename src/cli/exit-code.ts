import { isFailure } from "../model/failure.ts";

/** 0 done, 1 failed, 2 usage, 3 findings, 130 interrupted: documented, and the same for every command. */
export const ExitCode = { done: 0, failed: 1, usage: 2, findings: 3, interrupted: 130 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export function exitCodeOf(error: unknown, interrupted: boolean): ExitCode {
  if (interrupted || isFailure(error, "INTERRUPTED")) return ExitCode.interrupted;
  if (isFailure(error, "FINDINGS")) return ExitCode.findings;
  if (isFailure(error, "USAGE", "CONFIG_INVALID")) return ExitCode.usage;
  return ExitCode.failed;
}
