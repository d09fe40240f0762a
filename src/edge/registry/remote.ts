import type { Report } from "../../model/event.ts";
import type { Side } from "../../model/failure.ts";
import type { RetryPolicy } from "../../std/retry.ts";
import type { Endpoint } from "./endpoint.ts";
import { attempt, type AttemptOptions } from "./retry-policy.ts";

export interface RemoteOptions {
  readonly endpoint: Endpoint;
  /** As references say it, without the endpoint's prefix. */
  readonly name: string;
  readonly side: Side;
  readonly policy: RetryPolicy;
  readonly report: Report;
}

/** One repository at one endpoint: what every operation on it needs to know. */
export class Remote {
  readonly endpoint: Endpoint;
  readonly name: string;
  readonly side: Side;
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.endpoint = options.endpoint;
    this.name = options.name;
    this.side = options.side;
    this.#options = options;
  }

  /** The repository's name at this endpoint. */
  get path(): string {
    return this.endpoint.prefix === "" ? this.name : `${this.endpoint.prefix}/${this.name}`;
  }

  url(rest: string): string {
    return `/v2/${this.path}/${rest}`;
  }

  /** What reads need. A target is written to anyway, and one token for both halves the visits to its token service. */
  get readScopes(): readonly string[] {
    return this.side === "target" ? this.writeScopes : [`repository:${this.path}:pull`];
  }

  get writeScopes(): readonly string[] {
    return [`repository:${this.path}:pull,push`];
  }

  attempt<T>(
    options: Pick<AttemptOptions, "what" | "signal" | "also" | "final">,
    work: (attempt: number) => Promise<T>,
  ): Promise<T> {
    return attempt({ policy: this.#options.policy, report: this.#options.report, ...options }, work);
  }

  get attempts(): number {
    return this.#options.policy.attempts;
  }
}
