import type { Report } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import { revisionBack, type HelmPort, type ReleaseInfo, type StuckRelease } from "../model/helm.ts";
import type { Receipt } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import { overlayCluster, type Applied, type ApplyInput, type ApplyPort } from "../stages/apply/apply.ts";
import { systemClock, type Clock } from "../std/clock.ts";
import type { InstallPlan } from "./install-plan.ts";

export interface PendingOptions {
  readonly site: Site;
  readonly plan: Pick<InstallPlan, "charts">;
  readonly helm: Pick<HelmPort, "status" | "rollback">;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

/** Milliseconds between two looks: at a release that is pending, and for accounts while helm runs. */
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

/** Where helm may not be asked, that is told with whose the releases are. */
export async function pendingReleases(
  { charts }: InstallPlan,
  { helm, signal }: { readonly helm: Pick<HelmPort, "status" | "history">; readonly signal: AbortSignal },
): Promise<readonly StuckRelease[]> {
  const found = await Promise.all(
    charts.map(async ({ release, namespace }): Promise<readonly StuckRelease[]> => {
      const found = await helm.status(release, namespace, { signal });
      if (!isPending(found)) return [];
      const revision = revisionBack(await helm.history(release, namespace, { signal }));
      return [{ release, namespace, status: found.status, revision }];
    }),
  ).catch((error: unknown) => {
    if (!isFailure(error)) throw error;
    return [];
  });
  return found.flat();
}

function isPending(found: ReleaseInfo | undefined): found is ReleaseInfo {
  return found?.status.startsWith("pending-") === true;
}

/**
 * Runs helm, and lays the overlay over what it has made so far for as long as it runs: a hook's pod whose account has no
 * pull secret would wait for its image until helm gives up, and only helm's own run creates that account.
 * A failure of the overlay while helm works is not the end; the one after it is the one that counts.
 */
export async function overlayWhile<T>(
  helm: () => Promise<T>,
  input: ApplyInput,
  cluster: ApplyPort,
  clock: Clock,
): Promise<{ readonly result: T; readonly applied: Applied }> {
  const done = new AbortController();
  const running = helm().finally(() => done.abort());
  const quiet = {
    ...input,
    signal: input.signal === undefined ? done.signal : AbortSignal.any([input.signal, done.signal]),
  };
  const beside = (async () => {
    while (!done.signal.aborted) {
      await clock.sleep(interval, done.signal).catch(() => undefined);
      await overlayCluster(quiet, cluster).catch(() => undefined);
    }
  })();
  const result = await running.finally(() => beside);
  return { result, applied: await overlayCluster(input, cluster) };
}
