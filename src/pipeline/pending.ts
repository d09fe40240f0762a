import type { Report } from "../model/event.ts";
import type { Receipt } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import { systemClock, type Clock } from "../std/clock.ts";
import type { HelmPort, ReleaseInfo } from "./install-ports.ts";
import type { Relocated } from "./relocated.ts";

export interface PendingOptions {
  readonly site: Site;
  readonly relocated: Pick<Relocated, "charts">;
  readonly helm: Pick<HelmPort, "status" | "rollback">;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

const interval = 1000;

/**
 * A helm whose host lost power, or that lost us to a kill, leaves its release pending, and every later one is refused.
 * When the receipt says that it was ours, it gets the time that it was given (it may live on without us); then the
 * release is rolled back, which ends the operation and keeps what was made. Of other people's helm nothing is touched.
 */
export async function endPending(receipt: Receipt, options: PendingOptions): Promise<void> {
  if (receipt.phases.findLast(({ phase }) => phase === "apply")?.state !== "started") return;
  for (const { release, namespace } of options.relocated.charts) await endOne(release, namespace, options);
}

async function endOne(release: string, namespace: string, options: PendingOptions): Promise<void> {
  const { site, helm, report, signal, clock = systemClock } = options;
  const seconds = site.cluster.rolloutSeconds;
  let found = await helm.status(release, namespace, { signal });
  if (!isPending(found)) return;
  const began = Date.parse(found.updated);
  const end = Math.min(Number.isNaN(began) ? clock.now() : began, clock.now()) + seconds * 1000;
  report({ type: "stalled", what: `helm ${release}: ${found.status}`, seconds });
  while (clock.now() < end) {
    await clock.sleep(interval, signal);
    found = await helm.status(release, namespace, { signal });
    if (!isPending(found)) return;
  }
  // A first revision goes back to itself: what was not made yet is made.
  await helm.rollback(release, namespace, Math.max(1, found.revision - 1), { signal });
}

function isPending(found: ReleaseInfo | undefined): found is ReleaseInfo {
  return found?.status.startsWith("pending-") === true;
}
