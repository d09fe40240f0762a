import type { RandomWriter } from "../../content/random-access.ts";

type Write = RandomWriter["write"];

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
  writer(signal: AbortSignal): Write {
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
