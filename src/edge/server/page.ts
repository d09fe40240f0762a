import type { Headers } from "./answer.ts";

export interface Page {
  readonly names: readonly string[];
  readonly headers: Headers;
}

/**
 * One page of sorted `names`: those after `last`, at most `n`, with a Link to the rest when there is one.
 * `undefined` when `n` is no number. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export function page(names: readonly string[], query: URLSearchParams, path: string): Page | undefined {
  const asked = query.get("n");
  if (asked !== null && !/^\d{1,9}$/.test(asked)) return undefined;
  const last = query.get("last");
  const rest = last === null ? names : names.filter((name) => name > last);
  const count = asked === null ? rest.length : Number(asked);
  const shown = rest.slice(0, count);
  const end = shown.at(-1);
  if (end === undefined || shown.length === rest.length) return { names: shown, headers: {} };
  const next = new URLSearchParams(query);
  next.set("last", end);
  return { names: shown, headers: { Link: `<${path}?${next.toString()}>; rel="next"` } };
}
