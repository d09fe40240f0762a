import type { BundleDocument } from "../../model/bundle.ts";
import type { LockItem } from "../../model/lock.ts";

/** One thing that both bundles carry under the same name, and how it differs. */
export interface Change {
  readonly kind: LockItem["kind"];
  readonly name: string;
  readonly before: LockItem;
  readonly after: LockItem;
  readonly platformsAdded: readonly string[];
  readonly platformsRemoved: readonly string[];
}

export interface BundleDiff {
  readonly added: readonly LockItem[];
  readonly removed: readonly LockItem[];
  readonly changed: readonly Change[];
  readonly unchanged: number;
  /** Bytes of blobs that only the later bundle names: what a delta would carry. */
  readonly newBytes: number;
  readonly platformsAdded: readonly string[];
  readonly platformsRemoved: readonly string[];
}

/** What changed from one bundle to another. A new tag of the same repository is a change, not one removed and one added. */
export function diffBundles(before: BundleDocument, after: BundleDocument): BundleDiff {
  const { pairs, removed, added } = pairUp(before.items, after.items);
  const changed = pairs.filter(([old, now]) => old.root.digest !== now.root.digest || old.reference !== now.reference);
  const known = new Set<string>(before.blobs.map(({ digest }) => digest));
  const fresh = after.blobs.filter(({ digest }) => !known.has(digest));
  return {
    added,
    removed,
    changed: changed.map(([old, now]) => ({
      kind: now.kind,
      name: untagged(now.reference),
      before: old,
      after: now,
      platformsAdded: without(now.platforms, old.platforms),
      platformsRemoved: without(old.platforms, now.platforms),
    })),
    unchanged: pairs.length - changed.length,
    newBytes: fresh.reduce((sum, { size }) => sum + size, 0),
    platformsAdded: without(after.platforms, before.platforms),
    platformsRemoved: without(before.platforms, after.platforms),
  };
}

interface Pairs {
  readonly pairs: readonly (readonly [LockItem, LockItem])[];
  readonly removed: readonly LockItem[];
  readonly added: readonly LockItem[];
}

/** First by the full reference, then what is left by repository, where each side has exactly one. */
function pairUp(before: readonly LockItem[], after: readonly LockItem[]): Pairs {
  const same = match(before, after, ({ kind, reference }) => `${kind} ${reference}`);
  const moved = match(same.removed, same.added, ({ kind, reference }) => `${kind} ${untagged(reference)}`);
  return { pairs: [...same.pairs, ...moved.pairs], removed: moved.removed, added: moved.added };
}

function match(before: readonly LockItem[], after: readonly LockItem[], key: (item: LockItem) => string): Pairs {
  const olds = grouped(before, key);
  const news = grouped(after, key);
  const alone = (item: LockItem): boolean => olds.get(key(item))?.length === 1 && news.get(key(item))?.length === 1;
  return {
    pairs: after.filter(alone).flatMap((now) => (olds.get(key(now)) ?? []).map((old) => [old, now] as const)),
    removed: before.filter((item) => !alone(item)),
    added: after.filter((item) => !alone(item)),
  };
}

function grouped(
  items: readonly LockItem[],
  key: (item: LockItem) => string,
): ReadonlyMap<string, readonly LockItem[]> {
  const groups = new Map<string, LockItem[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** The reference without tag and digest: what stays when a version changes. */
export function untagged(reference: string): string {
  return reference.replace(/@sha256:[0-9a-f]+$/, "").replace(/:[^:/]+$/, "");
}

function without(these: readonly string[], those: readonly string[]): readonly string[] {
  return these.filter((each) => !those.includes(each));
}
