import type { Report } from "../../model/event.ts";
import { finding } from "../../model/finding.ts";
import { hopeless, type PodTrouble } from "../../model/pod-trouble.ts";
import type { Clock } from "../../std/clock.ts";
import type { Standing } from "./standing.ts";

export interface RolloutReporterOptions {
  readonly report: Report;
  readonly clock: Clock;
  readonly hopelessSeconds: number;
}

/** Reports each change of a rollout once, and remembers since when a pod has been in the same trouble. */
export class RolloutReporter {
  readonly #options: RolloutReporterOptions;
  readonly #said = new Map<string, string>();
  readonly #since = new Map<string, number>();

  constructor(options: RolloutReporterOptions) {
    this.#options = options;
  }

  report(standings: readonly Standing[]): void {
    for (const { workload, progress, troubles } of standings) {
      const { ready, wanted } = progress;
      if (this.#isNew(`workload ${workload}`, `${ready}/${wanted}`))
        this.#options.report({ type: "note", text: "waiting", facts: { workload, ready, wanted } });
      troubles.forEach((trouble) => {
        this.#reportTrouble(trouble);
      });
    }
    this.#forgetMended(standings.flatMap(({ troubles }) => troubles));
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
    this.#options.report({
      type: "finding",
      finding: finding("warning", "cluster.pod-stuck", { pod, reason, message }),
    });
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
