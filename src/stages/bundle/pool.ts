/** Work for the pool: `host` is whom it burdens, `run` is told to stop by the signal. */
export interface Task {
  readonly host: string;
  run(signal: AbortSignal): Promise<void>;
}

export interface PoolBounds {
  readonly concurrency: number;
  /** How many tasks of one host run at once. */
  readonly perHost: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs tasks in the given order as far as the bounds allow: a busy host is skipped, not waited for. The first failure
 * stops new work and aborts what is in flight; it is thrown once all of that has ended. By hand, since the libraries know
 * one bound: here each registry has one of its own, so that a slow one does not hold up the others.
 */
export async function runPool(tasks: readonly Task[], options: PoolBounds): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const waiting = [...tasks];
  const busy = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const change = (host: string, by: number): void => void busy.set(host, (busy.get(host) ?? 0) + by);
  const next = (): Task | undefined => {
    if (signal.aborted || running.size >= options.concurrency) return undefined;
    const at = waiting.findIndex(({ host }) => host === "" || (busy.get(host) ?? 0) < options.perHost);
    return at < 0 ? undefined : waiting.splice(at, 1)[0];
  };
  const start = (task: Task): void => {
    change(task.host, 1);
    const ended = task
      .run(signal)
      .catch((error: unknown) => stop.abort(error))
      .finally(() => {
        change(task.host, -1);
        running.delete(ended);
      });
    running.add(ended);
  };
  for (;;) {
    for (let task = next(); task !== undefined; task = next()) start(task);
    if (running.size === 0) break;
    await Promise.race(running);
  }
  signal.throwIfAborted();
}
