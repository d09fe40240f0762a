import { parseQuantity, type KubeObject } from "../../model/kubernetes.ts";
import { isMap, whereOf } from "../../model/rendered-object.ts";
import { shownValue } from "./owner-values.ts";

/** A field of a live object that is not as a document has it. */
export interface LiveField {
  /** `Deployment/higress-system/higress-gateway`. */
  readonly object: string;
  /** `spec.template.spec.containers[higress-gateway].image`. */
  readonly path: string;
  /** As they are shown, secrets masked; `-` where there is none. */
  readonly written: string;
  readonly live: string;
}

/** How a field is shown that is not there. */
export const nothing = "-";

/**
 * Where a live object is not as it was written. What the document does not say is not asked: the API server fills in
 * defaults, and controllers write into objects too. Secrets are left alone.
 */
export function liveFields(document: KubeObject, live: KubeObject): readonly LiveField[] {
  if (document.kind === "Secret") return [];
  const found: LiveField[] = [];
  for (const [key, written] of Object.entries(document))
    if (!unasked.has(key)) compare(written, live[key], [key], found, whereOf(document));
  return found;
}

/** Of the metadata, only what people set: helm's own marks change with each chart. */
const unasked: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "status"]);

function compare(written: unknown, live: unknown, path: readonly string[], found: LiveField[], object: string): void {
  const pairs = pairsOf(written, live);
  if (pairs !== undefined) {
    for (const [key, one, other] of pairs) compare(one, other, [...path, key], found, object);
    return;
  }
  if (isSame(written, live)) return;
  const show = (value: unknown): string => (isNothing(value) ? nothing : shownValue(path, value));
  found.push({ object, path: path.join(".").replaceAll(".[", "["), written: show(written), live: show(live) });
}

type Pair = readonly [key: string, written: unknown, live: unknown];

/** Members of maps by their keys, items of lists by their names, and otherwise by their places; `undefined` for the rest. */
function pairsOf(written: unknown, live: unknown): readonly Pair[] | undefined {
  if (isMap(written))
    return isMap(live) || live === undefined
      ? Object.entries(written).map(([key, value]) => [key, value, live?.[key]])
      : undefined;
  return Array.isArray(written) && Array.isArray(live) ? itemPairs(written, live) : undefined;
}

function itemPairs(written: readonly unknown[], live: readonly unknown[]): readonly Pair[] | undefined {
  const all = [...written, ...live];
  if (!all.every((item) => nameOf(item) !== undefined))
    return written.length === live.length ? written.map((item, at) => [`[${at}]`, item, live[at]]) : undefined;
  const named = (items: readonly unknown[], name: string): unknown => items.find((item) => nameOf(item) === name);
  return [...new Set(all.map(nameOf))].map((name = "") => [`[${name}]`, named(written, name), named(live, name)]);
}

/** What the API server does not keep: it says nothing. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function isSame(written: unknown, live: unknown): boolean {
  if (isNothing(written) && isNothing(live)) return true;
  if (JSON.stringify(written) === JSON.stringify(live)) return true;
  // Read without the types of its kind, `"1"` may be a number; and the API server writes 2000m as 2.
  if (String(written) === String(live)) return true;
  const [one, other] = [parseQuantity(written), parseQuantity(live)];
  return one !== 0 && one === other;
}

function nameOf(item: unknown): string | undefined {
  const name = isMap(item) ? item["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}
