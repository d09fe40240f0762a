import type { Clock } from "../../src/std/clock.ts";

/** Time that passes only when somebody sleeps; `each` may change the world at every sleep. */
export function aHeldClock(each: (now: number) => void = () => undefined): Clock & { readonly slept: () => number } {
  let now = 0;
  return {
    now: () => now,
    sleep: (milliseconds, signal) => {
      signal?.throwIfAborted();
      now += milliseconds;
      each(now);
      return Promise.resolve();
    },
    slept: () => now,
  };
}
