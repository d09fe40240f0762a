/**
 * The error that a caller has to hear of. When `await using` closes something after a failure and the closing fails too,
 * what is thrown is a `SuppressedError` around both; the failure came first, and is why.
 */
export function originalError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "SuppressedError" || !("suppressed" in error)) return error;
  return originalError(error.suppressed);
}
