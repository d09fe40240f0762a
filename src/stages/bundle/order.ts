import type { RandomWriter } from "../../content/store.ts";
import type { Segment } from "./plan.ts";
import type { OpenOutput } from "./ports.ts";

/** Largest first keeps the tail of the transfer short; what is in memory already goes before all. */
export function queue(segments: readonly Segment[], order: OpenOutput["order"]): readonly Segment[] {
  if (order !== "any") return segments;
  const weight = (segment: Segment): number => (segment.kind === "bytes" ? Infinity : segment.size);
  return [...segments].sort((a, b) => (weight(a) === weight(b) ? a.offset - b.offset : weight(b) - weight(a)));
}

/** Work for the pool: `host` is whom it burdens, `run` is told to stop by the signal. */
interface Task {
  readonly host: string;
  run(signal: AbortSignal): Promise<void>;
}

interface PoolBounds {
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

/**
 * Lets writes through in file order only. Each waits for its turn with its batch in memory, so what is looked ahead is
 * bounded by the batches that a transfer may have outstanding.
 */
export class InOrder {
  readonly #out: Pick<RandomWriter, "write">;
  readonly #waiting = new Map<number, { readonly go: () => void; readonly stop: (reason: unknown) => void }>();
  readonly #watched = new WeakSet<AbortSignal>();
  #at = 0;

  constructor(out: Pick<RandomWriter, "write">) {
    this.#out = out;
  }

  /** Writes whose waiting ends when `signal` says so. */
  writer(signal: AbortSignal): RandomWriter["write"] {
    return async (offset, chunks) => {
      await this.#turn(offset, signal);
      await this.#out.write(offset, chunks);
      this.#passed(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
    };
  }

  /** Goes past what is written already. */
  async skip(offset: number, length: number, signal: AbortSignal): Promise<void> {
    await this.#turn(offset, signal);
    this.#passed(length);
  }

  async #turn(offset: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#at === offset) return;
    this.#watch(signal);
    await new Promise<void>((go, stop) => this.#waiting.set(offset, { go, stop }));
  }

  /** One listener for all that wait: there may be hundreds of them. */
  #watch(signal: AbortSignal): void {
    if (this.#watched.has(signal)) return;
    this.#watched.add(signal);
    const stopAll = (): void => {
      for (const { stop } of this.#waiting.values()) stop(signal.reason);
    };
    signal.addEventListener("abort", stopAll, { once: true });
  }

  #passed(bytes: number): void {
    this.#at += bytes;
    const next = this.#waiting.get(this.#at);
    this.#waiting.delete(this.#at);
    next?.go();
  }
}
