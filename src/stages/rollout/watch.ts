import type { Report } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import { systemClock, type Clock } from "../../std/clock.ts";
import type { PodTrouble } from "../../model/pod-trouble.ts";
import type { RolloutPort } from "./ports.ts";
import { lookAt, type Standing, type WorkloadRef } from "./standing.ts";
import { RolloutReporter } from "./reporter.ts";

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
