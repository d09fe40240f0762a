import { setMaxListeners } from "node:events";
import pMap from "p-map";
import { type Report, stopAt } from "../model/event.ts";
import { isFailure, type Failure, type FailureCode } from "../model/failure.ts";
import { finding, type Finding, type FindingFacts } from "../model/finding.ts";
import { printReference, type Reference } from "../model/reference.ts";
import type { BuildOptions } from "./build-ports.ts";

/** Trouble with a host, which every other reference of it would meet too. */
const ofHost: ReadonlySet<FailureCode> = new Set([
  "REGISTRY_UNREACHABLE",
  "REGISTRY_TLS",
  "REGISTRY_LOGIN_WRONG",
  "REGISTRY_TOKEN_REFUSED",
  "REGISTRY_BUSY",
  "REGISTRY_STALLED",
]);

interface Request {
  readonly reference: Reference;
  readonly role: string;
}

/** Why something could not be had, and for whom: of a host that makes trouble, everything that was wanted of it. */
interface Unresolved {
  readonly failure: Failure;
  readonly requests: Request[];
}

interface Host {
  readonly stop: AbortController;
  /** A read has succeeded: the host is reachable, and takes our credentials or needs none. */
  answered?: boolean;
  trouble?: Unresolved;
}

/**
 * Resolves item by item and remembers which ones cannot be had, so that one build tells them all. When a host itself
 * makes trouble, what is still under way there ends, and nothing more is asked of it; the other hosts go on.
 */
export class Resolving {
  readonly #unreadable: readonly Finding[];
  readonly #unresolved: Unresolved[] = [];
  readonly #hosts = new Map<string, Host>();
  readonly #concurrency: number;
  readonly #signal: AbortSignal | undefined;
  readonly #report: Report;

  /** `unreadable`: what cannot even be asked for, and is told with the rest. */
  constructor(
    { concurrency = 8, signal, report }: Pick<BuildOptions, "concurrency" | "signal" | "report">,
    unreadable: readonly Finding[] = [],
  ) {
    this.#unreadable = unreadable;
    this.#concurrency = concurrency;
    this.#signal = signal;
    this.#report = report;
  }

  /**
   * In the order of the requests, without those that failed. Where documents alone are read, the round trips are all that
   * it takes, and twice as many are under way: for those, too, there are connections.
   */
  async each<R, T extends object>(
    requests: readonly R[],
    requestOf: (each: R) => Request,
    work: (each: R, signal: AbortSignal) => Promise<T>,
    { documentsOnly = false }: { readonly documentsOnly?: boolean } = {},
  ): Promise<readonly T[]> {
    const concurrency = documentsOnly ? 2 * this.#concurrency : this.#concurrency;
    const options = { concurrency, ...(this.#signal === undefined ? {} : { signal: this.#signal }) };
    let done = 0;
    const resolved = await pMap(
      requests,
      async (each) => {
        const request = requestOf(each);
        const name = printReference(request.reference);
        this.#report({ type: "step", phase: "resolve", name, done, items: requests.length });
        const one = await this.#one(request, (signal) => work(each, signal));
        done += 1;
        return one;
      },
      options,
    );
    return resolved.flatMap((one) => one ?? []);
  }

  async #one<T>(request: Request, work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const host = this.#host(request.reference.registry);
    const { stop } = host;
    const signal = this.#signal === undefined ? stop.signal : AbortSignal.any([this.#signal, stop.signal]);
    // One listener for each request in flight, which the concurrency bounds; Node takes more than ten for a leak.
    setMaxListeners(0, signal);
    try {
      if (host.trouble === undefined) {
        const resolved = await work(signal);
        host.answered = true;
        return resolved;
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (host.trouble === undefined) {
        if (!isFailure(error)) throw error;
        const unresolved = { failure: error, requests: [request] };
        this.#unresolved.push(unresolved);
        if (!ofHost.has(error.code)) return undefined;
        host.trouble = unresolved;
        stop.abort(error);
        return undefined;
      }
    }
    host.trouble.requests.push(request);
    return undefined;
  }

  #host(name: string): Host {
    const known = this.#hosts.get(name) ?? { stop: new AbortController() };
    this.#hosts.set(name, known);
    return known;
  }

  /** A host that refuses all that is asked of it wants a login: one thing to do, and told once. */
  #withoutLogins(): readonly Unresolved[] {
    const byHost = new Map<string, Unresolved>();
    return this.#unresolved.filter((each) => {
      const host = each.requests[0]?.reference.registry ?? "";
      if (each.failure.code !== "REGISTRY_UNAUTHORIZED" || this.#hosts.get(host)?.answered === true) return true;
      const known = byHost.get(host);
      if (known === undefined) byHost.set(host, each);
      else known.requests.push(...each.requests);
      return known === undefined;
    });
  }

  /** All that cannot be had, each with its reason. */
  findings(): readonly Finding[] {
    return [...this.#unreadable, ...findingsOf(this.#withoutLogins())];
  }

  /** @throws Failure what failed; FINDINGS when that is more than one thing, once each is told */
  stop(): void {
    const unresolved = this.#withoutLogins();
    const [first, ...more] = unresolved;
    if (first !== undefined && more.length === 0 && this.#unreadable.length === 0) throw first.failure;
    stopAt([...this.#unreadable, ...findingsOf(unresolved)], this.#report, "source");
  }
}

function findingsOf(unresolved: readonly Unresolved[]): readonly Finding[] {
  const told = unresolved.map(factsOf).sort((a, b) => (a.reference < b.reference ? -1 : 1));
  return told.map((facts) => finding("error", "source.unresolved", facts));
}

function factsOf({ failure: { code, facts }, requests }: Unresolved): FindingFacts["source.unresolved"] {
  const [first, ...more] = requests
    .map(({ reference, role }) => ({ reference: printReference(reference), asked: role }))
    .sort((a, b) => (a.reference < b.reference ? -1 : 1));
  const also = more.length === 0 ? "" : ` (+${more.length})`;
  return { reference: `${first?.reference ?? ""}${also}`, asked: first?.asked ?? "", why: code, about: facts };
}
