import { stopAt, type Phase, type Report } from "../model/event.ts";
import type { Finding } from "../model/finding.ts";
import type { Receipt, ReleaseRef } from "../model/receipt.ts";
import { beginRelease, endRelease, withMore, withPhase, type Additions } from "../stages/receipt/receipt.ts";

export interface RecorderOptions {
  readonly receipt: Receipt;
  readonly save: (receipt: Receipt) => Promise<void>;
  readonly now: () => Date;
  readonly report: Report;
  readonly skip: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Runs phases, and writes down what each did before the next begins: what was done can always be undone. */
export class Recorder {
  readonly #options: RecorderOptions;
  #receipt: Receipt;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#receipt = options.receipt;
  }

  get receipt(): Receipt {
    return this.#receipt;
  }

  /** A phase between its events, with its state in the receipt; `undefined` when it is left out. */
  async phase<T>(name: Phase, work: () => Promise<T>): Promise<T | undefined> {
    const { report, skip, signal, now } = this.#options;
    signal.throwIfAborted();
    if (skip.has(name)) {
      report({ type: "phase", phase: name, state: "skipped" });
      await this.#keep(withPhase(this.#receipt, name, "skipped", now()));
      return undefined;
    }
    report({ type: "phase", phase: name, state: "started" });
    await this.#keep(withPhase(this.#receipt, name, "started", now()));
    try {
      const result = await work();
      await this.#keep(withPhase(this.#receipt, name, "done", now()));
      report({ type: "phase", phase: name, state: "done" });
      return result;
    } catch (error) {
      // The cause is what the user must see, also when the disk that holds the receipt is full.
      await this.#keep({ ...withPhase(this.#receipt, name, "failed", now()), state: "failed" }).catch(() => undefined);
      throw error;
    }
  }

  async add(more: Additions): Promise<void> {
    await this.#keep(withMore(this.#receipt, more));
  }

  async beginRelease(named: ReleaseRef, deployed: number): Promise<void> {
    await this.#keep(beginRelease(this.#receipt, named, deployed));
  }

  async endRelease(named: ReleaseRef, revision: number): Promise<void> {
    await this.#keep(endRelease(this.#receipt, named, revision));
  }

  async done(): Promise<void> {
    await this.#keep({ ...this.#receipt, state: "done" });
  }

  /** Reports all of them, then stops if one is an error. @throws Failure FINDINGS */
  stopAt(findings: readonly Finding[]): void {
    stopAt(findings, this.#options.report);
  }

  async #keep(receipt: Receipt): Promise<void> {
    this.#receipt = receipt;
    await this.#options.save(receipt);
  }
}
