import { isMap, type RenderedObject } from "./rendered-object.ts";

/** By what entries of a list are the same entry, where they have it: as Kubernetes merges containers, mounts and ports. */
const entryKeys = ["name", "mountPath", "containerPort", "port"] as const;

/**
 * `after` without what stood in the manifest before and no longer does. Helm 3 takes such fields away by comparing the two
 * manifests, and owns nothing by server-side apply, so that a dry run of that keeps them.
 * https://helm.sh/docs/faq/changes_since_helm2/#improved-upgrade-strategy-3-way-strategic-merge-patches
 */
export function withoutDropped<T>(after: T, stored: unknown, rendered: unknown): T {
  if (isMap(after) && isMap(stored) && isMap(rendered)) return fromMap(after, stored, rendered) as T;
  if (Array.isArray(after) && Array.isArray(stored) && Array.isArray(rendered))
    return fromList(after, stored, rendered) as T;
  return after;
}

function fromMap(after: RenderedObject, stored: RenderedObject, rendered: RenderedObject): RenderedObject {
  const kept = Object.entries(after).filter(([key]) => !(key in stored) || key in rendered);
  return Object.fromEntries(kept.map(([key, value]) => [key, withoutDropped(value, stored[key], rendered[key])]));
}

function fromList(
  after: readonly unknown[],
  stored: readonly unknown[],
  rendered: readonly unknown[],
): readonly unknown[] {
  const key = entryKeys.find((each) => [...after, ...stored].every((entry) => isMap(entry) && each in entry));
  // Without a key the list is one value, and the API server has replaced it.
  if (key === undefined) return after;
  const named = (entries: readonly unknown[]): ReadonlyMap<string, unknown> =>
    new Map(entries.filter(isMap).map((entry) => [String(entry[key]), entry]));
  const [then, now] = [named(stored), named(rendered)];
  return after.filter(isMap).flatMap((entry) => {
    const name = String(entry[key]);
    return then.has(name) && !now.has(name) ? [] : [withoutDropped(entry, then.get(name), now.get(name))];
  });
}
