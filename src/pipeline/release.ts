import type { Report } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import { revisionBack, type HelmPort, type ReleaseInfo, type StuckRelease } from "../model/helm.ts";
import { isSameRelease, type Receipt, type ReleaseRef } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import { overlayCluster, type Applied, type ApplyInput, type ApplyPort } from "../stages/apply/apply.ts";
import { systemClock, type Clock } from "../std/clock.ts";
import type { InstallPlan } from "./install-plan.ts";

export interface PendingOptions {
  readonly site: Site;
  readonly plan: Pick<InstallPlan, "charts">;
  readonly helm: Pick<HelmPort, "status" | "history" | "rollback">;
  readonly report: Report;
  /** Fields that others have set become the release's again. @default false */
  readonly forceConflicts?: boolean | undefined;
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
 *
 * The first revision of objects that were to become a release is ours, too, and may have failed: a rollback to itself puts
 * helm's marks on what has none yet, where an upgrade would be refused.
 */
export async function endPending(receipt: Receipt, options: PendingOptions): Promise<void> {
  const apply = receipt.phases.findLast(({ phase }) => phase === "apply");
  if (apply?.state !== "started" && apply?.state !== "failed") return;
  const sawItsEnd = apply.state === "failed" ? Date.parse(apply.at) : undefined;
  for (const named of options.plan.charts) {
    const found = await options.helm.status(named.release, named.namespace, { signal: options.signal });
    const isCutOff = found?.status === "failed" && isTakeover({ ...named, ...found }, receipt);
    if (isPending(found) && !(await endsByItself(named, found, sawItsEnd, options))) await goBack(named, options);
    else if (isCutOff) await goBack(named, options);
  }
}

/** Whether a release that did not go through is one that the install of this receipt was making of others' objects. */
export function isTakeover(
  found: ReleaseRef & { readonly revision: number; readonly status: string },
  { state, adopted = [], releases = [] }: Pick<Receipt, "state" | "adopted" | "releases">,
): boolean {
  const isOpen = state === "running" || state === "failed";
  if (!isOpen || found.status === "deployed" || releases.some((one) => isSameRelease(one, found))) return false;
  // What was a release before was deployed when it was looked at, or nothing would have been begun.
  return adopted.some((one) => isSameRelease(one, found) && one.revision === found.revision);
}

/** Begun after ours had ended, it is somebody else's. */
async function endsByItself(
  { release, namespace }: ReleaseRef,
  found: ReleaseInfo,
  sawItsEnd: number | undefined,
  options: PendingOptions,
): Promise<boolean> {
  const { site, helm, report, signal, clock = systemClock } = options;
  const began = Date.parse(found.updated);
  if (sawItsEnd !== undefined && began > sawItsEnd) return true;
  const seconds = sawItsEnd === undefined ? site.cluster.rolloutSeconds : 0;
  const end = Math.min(Number.isNaN(began) ? clock.now() : began, clock.now()) + seconds * 1000;
  report({ type: "stalled", what: `helm ${release}: ${found.status}`, seconds });
  while (clock.now() < end) {
    await clock.sleep(interval, signal);
    if (!isPending(await helm.status(release, namespace, { signal }))) return true;
  }
  return false;
}

async function goBack(
  { release, namespace }: ReleaseRef,
  { helm, forceConflicts: takeOver, signal }: PendingOptions,
): Promise<void> {
  const revision = revisionBack(await helm.history(release, namespace, { signal }));
  await helm.rollback(release, namespace, revision, { takeOver, signal });
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
