import type { RandomWriter } from "../../content/random-access.ts";

type Write = RandomWriter["write"];

/**
 * Lets writes through in file order only. Each waits for its turn with its batch in memory, so what is looked ahead is
 * bounded by the batches that a transfer may have outstanding.
 */
export class InOrder {
  readonly #out: Pick<RandomWriter, "write">;
  readonly #waiting = new Map<number, () => void>();
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
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      this.#waiting.set(offset, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
    });
  }

  #passed(bytes: number): void {
    this.#at += bytes;
    const next = this.#waiting.get(this.#at);
    this.#waiting.delete(this.#at);
    next?.();
  }
}
