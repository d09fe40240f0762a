import type { NoteEvent } from "../../model/event.ts";
import { isSameRelease, releasesOf, type ObjectRecord, type Receipt } from "../../model/receipt.ts";

/** What `rollback` will do, in its order. */
export function planRollback(current: Receipt, before: Receipt): readonly NoteEvent[] {
  const then = releasesOf(before);
  const gone = releasesOf(current).filter((now) => !then.some((each) => isSameRelease(each, now)));
  const known = new Set(before.objects.map(named));
  const settled = new Set(before.leftovers.map(named));
  return [
    ...pluginsBack(current.plugins.filter(({ name, url }) => !before.plugins.some(isPlugin(name, url)))),
    ...givenBack(current.leftovers.filter((record) => !settled.has(named(record)))),
    ...gone.map(({ release }) => uninstalled(release)),
    ...then.toReversed().flatMap(({ release, revision }): readonly NoteEvent[] =>
      // Helm never told of a revision: rollback leaves it alone.
      revision === 0 ? [] : [{ type: "note", text: "plan-release-back", facts: { release, revision } }],
    ),
    ...objectsBack(current.objects.filter((record) => !known.has(named(record)))),
  ];
}

export interface UninstallReach {
  readonly crds: boolean;
  readonly namespace: boolean;
}

/** What `uninstall` will do, in its order. */
export function planUninstall(receipt: Receipt, { crds, namespace }: UninstallReach): readonly NoteEvent[] {
  const taken = receipt.crds.filter(({ did }) => crds && did === "created");
  return [
    ...pluginsBack(receipt.plugins),
    ...givenBack(receipt.leftovers),
    ...releasesOf(receipt)
      .toReversed()
      .map(({ release }) => uninstalled(release)),
    ...objectsBack(receipt.objects.filter(({ resource }) => namespace || resource !== "namespaces")),
    ...(taken.length === 0 ? [] : [note("plan-crds-deleted", { crds: taken.map(({ name }) => name).join(", ") })]),
  ];
}

/** Objects of ours that are gone then: what was somebody else's before is only given back. */
export function deletedBy({ objects }: Receipt, { namespace }: Pick<UninstallReach, "namespace">): number {
  return objects.filter(({ did, resource }) => did === "created" && (namespace || resource !== "namespaces")).length;
}

function uninstalled(release: string): NoteEvent {
  return { type: "note", text: "plan-release-gone", facts: { release } };
}

function isPlugin(name: string, url: string): (other: { readonly name: string; readonly url: string }) => boolean {
  return (other) => other.name === name && other.url === url;
}

function pluginsBack(plugins: readonly { readonly name: string }[]): readonly NoteEvent[] {
  if (plugins.length === 0) return [];
  return [note("plan-plugins", { plugins: plugins.map(({ name }) => name).join(", ") })];
}

function givenBack(objects: readonly Named[]): readonly NoteEvent[] {
  return objects.length === 0 ? [] : [note("plan-given-back", { objects: objects.map(named).join(", ") })];
}

function objectsBack(records: readonly ObjectRecord[]): readonly NoteEvent[] {
  const made = records.filter(({ did }) => did === "created");
  return [
    ...givenBack(records.filter(({ did }) => did === "changed")),
    ...(made.length === 0 ? [] : [note("plan-deleted", { objects: made.map(named).join(", ") })]),
  ];
}

function note<N extends "plan-plugins" | "plan-given-back" | "plan-deleted" | "plan-crds-deleted">(
  text: N,
  facts: Extract<NoteEvent, { readonly text: N }>["facts"],
): NoteEvent {
  return { type: "note", text, facts } as NoteEvent;
}

type Named = Pick<ObjectRecord, "resource" | "name" | "namespace">;

function named({ resource, namespace, name }: Named): string {
  return `${resource} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
