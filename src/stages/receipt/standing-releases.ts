import type { ReleaseRevision } from "../../model/helm.ts";
import { isSameRelease, releasesOf, type Receipt, type ReleaseRecord } from "../../model/receipt.ts";
import { isOfTarget, standing } from "./receipt.ts";

/**
 * What there was before an install that took over somebody else's release: that release at its revision, and nothing of
 * ours. `undefined` when it took over none.
 */
export function adoptedBefore(receipt: Receipt): Receipt | undefined {
  const adopted = receipt.adopted ?? [];
  if (adopted.length === 0) return undefined;
  const begun = receipt.releases ?? [];
  const releases = adopted.map(({ release, namespace, revision }) => {
    // What helm was not begun with is as it was, and may be no release yet.
    const touched = begun.some((each) => isSameRelease(each, { release, namespace }));
    return { release, namespace, revision: touched ? revision : 0, previousRevision: 0 };
  });
  return { ...receipt, releases, objects: [], leftovers: [], plugins: [] };
}

/**
 * A receipt with every release that stood after its install, whichever install touched it last: one that ended before
 * helm, or left helm out, knows of none itself.
 */
export function withStanding(receipt: Receipt, receipts: readonly Receipt[]): Receipt {
  const until = receipts.filter(
    ({ number, state, cluster }) => number < receipt.number && state !== "undone" && isOfTarget(receipt, cluster),
  );
  const records = [...until.toSorted((a, b) => a.number - b.number), receipt].flatMap(releasesOf);
  const latest = new Map(records.map((record) => [`${record.namespace}/${record.release}`, record]));
  return { ...receipt, releases: [...latest.values()] };
}

/** The install that stands, with every release that does. */
export function standingInstall(receipts: readonly Receipt[]): Receipt | undefined {
  const latest = standing(receipts);
  return latest && withStanding(latest, receipts);
}

/**
 * What a rollback to an earlier install brings back: that install, and at their owners' revisions the releases that were
 * taken over since. That install knows nothing of them, and they are not ours to remove.
 */
export function withOwners(before: Receipt, current: Receipt): Receipt {
  const isKnown = (owned: ReleaseRecord): boolean => before.adopted?.some((one) => isSameRelease(one, owned)) === true;
  const owners = (adoptedBefore(current)?.releases ?? []).filter((owned) => !isKnown(owned));
  const own = releasesOf(before).filter((each) => !owners.some((owned) => isSameRelease(each, owned)));
  return { ...before, releases: [...own, ...owners] };
}

/**
 * Whether helm no longer has a release from our installs: somebody removed ours and made another one of the same name.
 * Helm then numbers anew, so that a revision of ours is either not reached yet, or was begun after our install had ended.
 */
export function isReplaced(
  record: ReleaseRecord,
  receipts: readonly Receipt[],
  revisions: readonly ReleaseRevision[],
): boolean {
  const { revision } = record;
  if (revision === 0 || revisions.length === 0) return false;
  const found = revisions.find((each) => each.revision === revision);
  // Helm forgets the oldest ones, and never the newest: https://helm.sh/docs/helm/helm_upgrade/ (--history-max)
  if (found === undefined) return revisions.every((each) => each.revision < revision);
  const makers = receipts.filter((receipt) =>
    releasesOf(receipt).some((each) => isSameRelease(each, record) && each.revision === revision),
  );
  const ends = makers.flatMap(({ phases }) => phases.findLast(isEndOfApply)?.at ?? []);
  return ends.length > 0 && ends.every((at) => Date.parse(found.updated) > Date.parse(at));
}

function isEndOfApply({ phase, state }: Receipt["phases"][number]): boolean {
  return phase === "apply" && state === "done";
}
