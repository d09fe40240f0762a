import { setTimeout as delay } from "node:timers/promises";

/** Time as a parameter, so that a test of ten minutes of waiting takes none. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Throws the signal's reason when it fires first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw error;
    });
  },
};
