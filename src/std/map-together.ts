import { setMaxListeners } from "node:events";
import pMap, { pMapSkip } from "p-map";

export interface TogetherOptions {
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * `work` on every item, `concurrency` at once, results in the order of the items. The first failure aborts the signal
 * that the others were given, and is thrown when all of them have ended: nothing is left running behind it.
 */
export async function mapTogether<T, R>(
  items: Iterable<T>,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  { concurrency, signal }: TogetherOptions,
): Promise<R[]> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  // One listener for each request in flight, which `concurrency` bounds; Node takes more than ten for a leak.
  setMaxListeners(0, both);
  let first: { readonly error: unknown } | undefined;
  const results = await pMap(
    items,
    async (item) => {
      if (both.aborted) return pMapSkip;
      try {
        return await work(item, both);
      } catch (error) {
        first ??= { error };
        stop.abort(error);
        return pMapSkip;
      }
    },
    { concurrency },
  );
  signal?.throwIfAborted();
  if (first !== undefined) throw first.error;
  return results;
}
