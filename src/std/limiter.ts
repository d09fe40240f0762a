/** Runs work when a place is free, first come first served. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * At most `places` pieces of work at once. A piece that fails frees its place; what waits is not told. p-map bounds the
 * work of one list; this bounds what comes from many lists at once, such as the blobs of several repositories.
 */
export function limiter(places: number): Limiter {
  if (!Number.isInteger(places) || places < 1)
    throw new RangeError(`Cannot limit to ${places} places: wanted 1 or more`);
  const waiting: (() => void)[] = [];
  let free = places;
  const enter = async (): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
