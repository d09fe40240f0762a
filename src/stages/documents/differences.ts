import { pathOf, type Wrong } from "./read.ts";

/** So many are told; documents that differ everywhere are another bundle's. */
const most = 20;

/** Where `got` is not `wanted`. Both are what JSON holds; a member that is `undefined` is not there. */
export function differences(wanted: unknown, got: unknown): readonly Wrong[] {
  const found: Wrong[] = [];
  compare(wanted, got, [], found);
  return found;
}

function compare(wanted: unknown, got: unknown, path: readonly string[], found: Wrong[]): void {
  if (found.length >= most || Object.is(wanted, got)) return;
  if (isObject(wanted) && isObject(got) && Array.isArray(wanted) === Array.isArray(got)) {
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(got)]))
      compare(member(wanted, key), member(got, key), [...path, key], found);
    return;
  }
  found.push({ where: pathOf(path), why: `expected ${shown(wanted)}, not ${shown(got)}` });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** `Object.hasOwn`: a document may have a member of any name. */
function member(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
