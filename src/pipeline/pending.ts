import type { Report } from "../model/event.ts";
import type { Receipt } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import { systemClock, type Clock } from "../std/clock.ts";
import type { HelmPort, ReleaseInfo } from "../model/helm.ts";
import type { InstallPlan } from "./install-plan.ts";

export interface PendingOptions {
  readonly site: Site;
  readonly plan: Pick<InstallPlan, "charts">;
  readonly helm: Pick<HelmPort, "status" | "rollback">;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

const interval = 1000;

/**
 * A helm whose host lost power, that lost us to a kill, or that could not reach the API server to write down its end,
 * leaves its release pending, and every later one is refused. When the receipt says that it was ours, it gets the time
 * that it was given (it may live on without us, unless we saw its end); then the release is rolled back, which ends the
 * operation and keeps what was made. Of other people's helm nothing is touched.
 */
export async function endPending(receipt: Receipt, options: PendingOptions): Promise<void> {
  const apply = receipt.phases.findLast(({ phase }) => phase === "apply");
  if (apply?.state !== "started" && apply?.state !== "failed") return;
  const sawItsEnd = apply.state === "failed" ? Date.parse(apply.at) : undefined;
  for (const { release, namespace } of options.plan.charts) await endOne(release, namespace, sawItsEnd, options);
}

async function endOne(
  release: string,
  namespace: string,
  sawItsEnd: number | undefined,
  options: PendingOptions,
): Promise<void> {
  const { site, helm, report, signal, clock = systemClock } = options;
  let found = await helm.status(release, namespace, { signal });
  if (!isPending(found)) return;
  const began = Date.parse(found.updated);
  // Begun after ours had ended: somebody else's.
  if (sawItsEnd !== undefined && began > sawItsEnd) return;
  const seconds = sawItsEnd === undefined ? site.cluster.rolloutSeconds : 0;
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
