import { isSecretName } from "../../model/object-change.ts";
import { redact } from "../../model/sanitize.ts";
import {
  isValues,
  joinPath,
  leavesOf,
  valueAt,
  type ChartValues,
  type Values,
  type ValuesPath,
} from "../../model/values.ts";

/** What becomes of the values of a release's owner; each as it is shown, secrets masked. */
export interface OwnerValues {
  readonly kept: readonly string[];
  /** Where the site file or the relocation says otherwise. */
  readonly overridden: readonly string[];
  /** Paths that no template of the new chart reads. */
  readonly unread: readonly string[];
}

/** Holds the owner's values against what is laid over them, and against what the new chart reads. */
export function compareOwnerValues(owner: Values, over: Values, chart: ChartValues): OwnerValues {
  const leaves = leavesOf(owner);
  const unread = leaves.filter(({ path }) => !isRead(path, chart));
  const read = leaves.filter((leaf) => !unread.includes(leaf));
  const overOf = ({ path }: { readonly path: ValuesPath }): unknown => laidOver(over, path);
  const stays = (leaf: (typeof leaves)[number]): boolean => {
    const above = overOf(leaf);
    // Of two maps both stay.
    if (above === undefined || (isValues(above) && isValues(leaf.value))) return true;
    return JSON.stringify(above) === JSON.stringify(leaf.value);
  };
  return {
    kept: read.filter(stays).map(({ path, value }) => `${joinPath(path)}=${shownValue(path, value)}`),
    overridden: read.filter((leaf) => !stays(leaf)).map((leaf) => shownChange(leaf.path, leaf.value, overOf(leaf))),
    unread: unread.map(({ path }) => joinPath(path)),
  };
}

/** What stands over a place in the end: a map is merged into, and anything else takes the place of all below it. */
function laidOver(over: unknown, [key, ...rest]: ValuesPath): unknown {
  if (key === undefined || !isValues(over)) return over;
  return Object.hasOwn(over, key) ? laidOver(over[key], rest) : undefined;
}

/** Where other values stand now, place by place; `-` where nothing does. */
export function changedValues(then: Values, now: Values): readonly string[] {
  const places = new Map([...leavesOf(then), ...leavesOf(now)].map(({ path }) => [joinPath(path), path]));
  return [...places.values()].flatMap((path) => {
    const [before, after] = [valueAt(then, path), valueAt(now, path)];
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [shownChange(path, before, after)];
  });
}

function isRead(path: ValuesPath, { defaults, read }: ChartValues): boolean {
  if (valueAt(defaults, path) !== undefined) return true;
  // A template that names a map reads all that is in it, and one that names `a.b.c` reads a part of `a.b`.
  return read.some((known) => known.every((key, at) => at >= path.length || path[at] === key));
}

function shownChange(path: ValuesPath, from: unknown, to: unknown): string {
  const [before, after] = [from, to].map((value) => (value === undefined ? "-" : shownValue(path, value)));
  // A string that reads as a number, and that number.
  const typed = before === after && before === String(from);
  const [one, other] = typed ? [JSON.stringify(from), JSON.stringify(to)] : [before, after];
  return `${joinPath(path)}: ${one} → ${other}`;
}

/** Values go to a terminal and to logs: one whose name speaks of a secret is not shown, and none in full length. */
export function shownValue(path: ValuesPath, value: unknown): string {
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? "[…]" : Object.keys(value).length > 0 ? "{…}" : "{}";
  if (path.some(isSecretName)) return "***";
  const text = String(value);
  // A URL may carry a password, an argument too; a text of several lines may be a key.
  if (/:\/\/[^/]*@/.test(text) || text.includes("\n") || redact(text) !== text) return "***";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
