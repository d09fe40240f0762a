import type { Report } from "../../model/event.ts";
import { isFailure, type Side } from "../../model/failure.ts";
import { retry, type RetryPolicy } from "../../std/retry.ts";
import type { Endpoint } from "./endpoint.ts";
import { RegistryFailure } from "./errors.ts";

/** docs/facts/harbor.md#bulk-pushes. Five tries, 2, 4, 8 and 16 s apart at most, or what `Retry-After` says. */
export const registryRetry: RetryPolicy = {
  transient: (error) => (error instanceof RegistryFailure ? error.retryAfter : undefined),
  attempts: 5,
  baseDelay: 2000,
  maxDelay: 30_000,
};

interface AttemptOptions {
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
  /** What this operation may try again although the policy would not: how often it may, in all. */
  readonly also?: (error: RegistryFailure) => number | undefined;
  /** What nobody here can mend by trying again, whatever the policy says. */
  readonly final?: () => boolean;
}

/** Bytes of one PATCH, once a whole blob was refused. */
const firstPart = 64 * 1024 ** 2;
/**
 * Below this a proxy's limit is a mistake, and thousands of requests would hide it. nginx's default is 1 MiB. Preflight
 * tries this size, too.
 */
const smallestPart = 512 * 1024;

/**
 * What the way to a registry does not let through in one piece it never will, so all uploads to it share what one of them
 * learned. Only ever smaller, and by the size that was refused: eight that are refused together have learned one thing.
 */
export class UploadParts {
  readonly #first: number;
  #size = Infinity;

  constructor(first: number = firstPart) {
    this.#first = first;
  }

  /** Bytes of one request; `Infinity` until something refused a whole blob. */
  get size(): number {
    return this.#size;
  }

  /** Looks at each failure of one upload: the second time-out, and each 413, make the parts smaller. True: begin again. */
  learner(): (error: unknown, refused: number) => boolean {
    let timeouts = 0;
    return (error, refused) => {
      const tooLarge = error instanceof RegistryFailure && error.status === 413;
      timeouts += isTimeout(error) ? 1 : 0;
      const smaller = tooLarge || timeouts >= 2 ? this.#smaller(refused) : undefined;
      if (smaller !== undefined) this.#size = Math.min(this.#size, smaller);
      return tooLarge && smaller !== undefined;
    };
  }

  /** The first size and its eighths, and the smallest: the first below what was refused. */
  #smaller(refused: number): number | undefined {
    let next = this.#first;
    while (next >= refused && next >= smallestPart) next = Math.ceil(next / 8);
    if (next >= smallestPart) return next;
    return refused > smallestPart ? smallestPart : undefined;
  }
}

function isTimeout(error: unknown): boolean {
  if (isFailure(error, "REGISTRY_BUSY")) return [408, 499, 502, 504, 522, 524].includes(error.facts.status);
  return isFailure(error, "REGISTRY_STALLED", "REGISTRY_UNREACHABLE");
}

export interface RemoteOptions {
  readonly endpoint: Endpoint;
  /** As references say it, without the endpoint's prefix. */
  readonly name: string;
  readonly side: Side;
  readonly policy: RetryPolicy;
  readonly report: Report;
  /** Shared by all repositories of the registry. */
  readonly parts?: UploadParts | undefined;
}

/** One repository at one endpoint: what every operation on it needs to know. */
export class Remote {
  readonly endpoint: Endpoint;
  readonly name: string;
  readonly side: Side;
  readonly parts: UploadParts;
  readonly #options: RemoteOptions;

  constructor(options: RemoteOptions) {
    this.endpoint = options.endpoint;
    this.name = options.name;
    this.side = options.side;
    this.parts = options.parts ?? new UploadParts();
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

  /** Runs `work` under the policy; each new try is reported. The first retry after a stall says so too. */
  async attempt<T>({ what, signal, also, final }: AttemptOptions, work: (attempt: number) => Promise<T>): Promise<T> {
    const { policy, report } = this.#options;
    let tries = 0;
    const transient = (error: unknown): number | undefined => {
      if (signal?.aborted === true || final?.() === true) return undefined;
      const wait = policy.transient(error);
      if (wait !== undefined || !(error instanceof RegistryFailure)) return wait;
      tries += 1;
      return tries < (also?.(error) ?? 0) ? 0 : undefined;
    };
    const onRetry = (error: unknown, count: number, wait: number): void => {
      if (isFailure(error, "REGISTRY_STALLED")) report({ type: "stalled", what, seconds: error.facts.seconds });
      report({ type: "retry", what, why: reasonOf(error), attempt: count, wait });
    };
    try {
      return await retry({ ...policy, transient }, work, { signal, onRetry });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }

  get attempts(): number {
    return this.#options.policy.attempts;
  }
}

/** A few words: the code, and the fact that tells two cases of it apart. */
function reasonOf(error: unknown): string {
  if (isFailure(error, "REGISTRY_BUSY", "REGISTRY_REFUSED")) return `${error.code} ${error.facts.status}`;
  if (isFailure(error, "REGISTRY_UNREACHABLE")) return `${error.code} ${error.facts.reason}`;
  return isFailure(error) ? error.code : "error";
}

/** A cut or stale cache between us and the registry may give the right bytes next time; a forged reply will not. */
export function onceMore(failure: RegistryFailure): number | undefined {
  return failure.code === "CONTENT_MISMATCH" ? 2 : undefined;
}
