import type { Clock } from "../std/clock.ts";
import { overlayCluster, type Applied, type ApplyInput, type ApplyPort } from "../stages/apply/apply.ts";

/** Milliseconds between two looks for accounts while helm runs. */
const interval = 1000;

/**
 * Runs helm, and lays the overlay over what it has made so far for as long as it runs: a hook's pod whose account has no
 * pull secret would wait for its image until helm gives up, and only helm's own run creates that account.
 * A failure of the overlay while helm works is not the end; the one after it is the one that counts.
 */
export async function overlayWhile<T>(
  helm: () => Promise<T>,
  input: ApplyInput,
  cluster: ApplyPort,
  clock: Clock,
): Promise<{ readonly result: T; readonly applied: Applied }> {
  const done = new AbortController();
  const running = helm().finally(() => done.abort());
  const quiet = {
    ...input,
    signal: input.signal === undefined ? done.signal : AbortSignal.any([input.signal, done.signal]),
  };
  const beside = (async () => {
    while (!done.signal.aborted) {
      await clock.sleep(interval, done.signal).catch(() => undefined);
      await overlayCluster(quiet, cluster).catch(() => undefined);
    }
  })();
  const result = await running.finally(() => beside);
  return { result, applied: await overlayCluster(input, cluster) };
}
