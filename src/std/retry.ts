import { setTimeout as delay } from "node:timers/promises";

/**
 * Retry as data: who may be tried again, how often, and how long to wait. Times are milliseconds. By hand, since p-retry
 * waits as it was told before the first try: what a server asks for in `Retry-After` could only be added to that.
 */
export interface RetryPolicy {
  /** `undefined`: permanent. A number: wait at least that long (what `Retry-After` said), 0 for "as the policy says". */
  readonly transient: (error: unknown) => number | undefined;
  readonly attempts: number;
  readonly baseDelay: number;
  readonly maxDelay: number;
}

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((error: unknown, attempt: number, wait: number) => void) | undefined;
  /** 0 to 1; injected so that a test can hold the clock still. */
  readonly random?: () => number;
}

/** Runs `work` until it succeeds, fails for good, or `attempts` are used up; throws the last error as it was. */
export async function retry<T>(
  policy: RetryPolicy,
  work: (attempt: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const random = options.random ?? Math.random;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      const asked = options.signal?.aborted === true ? undefined : policy.transient(error);
      if (asked === undefined || attempt >= policy.attempts) throw error;
      // Full jitter above half: eight uploads that failed together must not come back together.
      const backoff = Math.min(policy.maxDelay, policy.baseDelay * 2 ** (attempt - 1)) * (0.5 + random() / 2);
      const wait = Math.max(asked, backoff);
      options.onRetry?.(error, attempt, wait);
      await delay(wait, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}
