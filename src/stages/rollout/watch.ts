import { reportFindings, type Report } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { finding } from "../../model/finding.ts";
import { hopeless, type PodTrouble } from "../../model/pod-trouble.ts";
import { sanitize } from "../../model/sanitize.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import { lookAt, type RolloutPort, type Standing, type WorkloadProgress, type WorkloadRef } from "./progress.ts";

export interface WatchOptions {
  readonly namespace: string;
  /** The most that is waited for all of them together. */
  readonly seconds: number;
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** How long trouble that waiting does not mend (a missing image, a wrong secret) is given. @default 60 */
  readonly hopelessSeconds?: number | undefined;
  /** @default 2; each is one kubectl call */
  readonly pollSeconds?: number | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Waits until every workload runs its newest generation with all pods available, and says meanwhile what it sees: a
 * line per change, a finding per pod in trouble.
 * @throws Failure ROLLOUT_STUCK that names the workload and why; before `seconds` are over when its controller gave up
 *   or its trouble is of a kind that no waiting mends
 */
export async function watchRollout(
  workloads: readonly WorkloadRef[],
  port: RolloutPort,
  options: WatchOptions,
): Promise<void> {
  const { seconds, report, signal, clock = systemClock, hopelessSeconds = 60, pollSeconds = 2 } = options;
  const start = clock.now();
  const elapsed = (): number => Math.round((clock.now() - start) / 1000);
  const reporter = new RolloutReporter({ report, clock, hopelessSeconds });
  for (;;) {
    const standings = await lookAt(workloads, port, options);
    reporter.report(standings);
    if (standings.every(({ progress }) => progress.done)) return;
    const late = elapsed() >= seconds ? standings.find(({ progress }) => !progress.done) : undefined;
    const stuck = reporter.hopeless(standings) ?? late;
    if (stuck !== undefined) {
      const why = await whyOf(stuck, port, options);
      throw new Failure("ROLLOUT_STUCK", { workload: stuck.workload, seconds: elapsed(), why });
    }
    await clock.sleep(pollSeconds * 1000, signal);
  }
}

async function whyOf({ progress, troubles }: Standing, port: RolloutPort, options: WatchOptions): Promise<string> {
  const trouble = troubles.find((one) => one.class !== "starting") ?? troubles[0];
  if (trouble === undefined) return progress.stopped ?? `${progress.ready}/${progress.wanted}`;
  const { pod, reason, message } = trouble;
  const words = (await lastWords(trouble, port, options)) ?? "";
  return [`${pod}: ${trouble.class}`, reason, message, words].filter((part) => part !== "").join(": ");
}

/** The last line of a container that ended: with it most operators know already. */
async function lastWords(
  { pod, container, class: of }: PodTrouble,
  port: RolloutPort,
  { namespace, signal }: WatchOptions,
): Promise<string | undefined> {
  if (container === undefined || (of !== "crash" && of !== "out-of-memory")) return undefined;
  const query = { namespace, pod, container, tail: 20, signal };
  const log = (await port.logs({ ...query, previous: true })) ?? (await port.logs(query));
  const line = log?.trimEnd().split("\n").at(-1);
  return line === undefined ? undefined : sanitize(line, 300);
}

export interface RolloutReporterOptions {
  readonly report: Report;
  readonly clock: Clock;
  readonly hopelessSeconds: number;
}

/** Reports each change of a rollout once, and remembers since when a pod has been in the same trouble. */
class RolloutReporter {
  readonly #options: RolloutReporterOptions;
  readonly #said = new Map<string, string>();
  readonly #since = new Map<string, number>();
  #step = "";

  constructor(options: RolloutReporterOptions) {
    this.#options = options;
  }

  /** What is still waited for, with how many are behind. */
  #reportStep(standings: readonly Standing[]): void {
    const open = standings.filter(({ progress }) => !progress.done);
    const name = open.map(({ workload }) => workload).join(" ");
    if (name === this.#step || name === "") return;
    this.#step = name;
    const { length: items } = standings;
    this.#options.report({ type: "step", phase: "apply", name, done: items - open.length, items });
  }

  report(standings: readonly Standing[]): void {
    this.#reportStep(standings);
    for (const { workload, progress, troubles } of standings) {
      this.#reportProgress(workload, progress);
      troubles.forEach((trouble) => {
        this.#reportTrouble(trouble);
      });
    }
    this.#forgetMended(standings.flatMap(({ troubles }) => troubles));
  }

  #reportProgress(workload: string, { ready, wanted, old }: WorkloadProgress): void {
    if (!this.#isNew(`workload ${workload}`, `${ready}/${wanted} ${old}`)) return;
    const facts = { workload, ready, wanted };
    this.#options.report(
      old === 0
        ? { type: "note", text: "waiting", facts }
        : { type: "note", text: "waiting-old", facts: { ...facts, old } },
    );
  }

  /** The workload and trouble that no waiting mends, once it has stood long enough for a slow registry or a late secret. */
  hopeless(standings: readonly Standing[]): Standing | undefined {
    const now = this.#options.clock.now();
    const limit = this.#options.hopelessSeconds * 1000;
    const stood = (trouble: PodTrouble): boolean => now - (this.#since.get(keyOf(trouble)) ?? now) >= limit;
    return standings.find(
      ({ progress, troubles }) =>
        progress.stopped !== undefined || troubles.some((trouble) => hopeless.has(trouble.class) && stood(trouble)),
    );
  }

  #reportTrouble(trouble: PodTrouble): void {
    const key = keyOf(trouble);
    if (!this.#since.has(key)) this.#since.set(key, this.#options.clock.now());
    // Every pod begins by starting and by not being ready; that is no trouble yet.
    if (trouble.class === "starting" || trouble.class === "not-ready") return;
    if (!this.#isNew(key, trouble.class)) return;
    const { pod, reason, message } = trouble;
    reportFindings([finding("warning", "cluster.pod-stuck", { pod, reason, message })], this.#options.report);
  }

  #forgetMended(troubles: readonly PodTrouble[]): void {
    const standing = new Set(troubles.map(keyOf));
    for (const key of this.#since.keys()) if (!standing.has(key)) this.#since.delete(key);
  }

  #isNew(key: string, value: string): boolean {
    if (this.#said.get(key) === value) return false;
    this.#said.set(key, value);
    return true;
  }
}

function keyOf(trouble: PodTrouble): string {
  return `${trouble.pod} ${trouble.container ?? ""} ${trouble.class}`;
}
