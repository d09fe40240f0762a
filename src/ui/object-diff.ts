import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import { readable, type ObjectChange } from "../model/object-change.ts";
import { printTyped } from "../std/yaml.ts";

/**
 * Two texts of which more lines differ than this are two texts: how long the shortest way between them is looked for grows
 * with the square of it: to about a second with this.
 */
const maxEdits = 2000;
const context = 3;

/** A unified diff of an object as YAML, or `undefined` where nothing would change. */
export function objectDiff(change: ObjectChange): string | undefined {
  const [live, after] = readable(change).map((side) => (side === undefined ? "" : printTyped(side)));
  if (live === undefined || after === undefined || live === after) return undefined;
  const names = [live === "" ? "/dev/null" : change.name, change.name] as const;
  const patch = createTwoFilesPatch(...names, live, after, "", "", {
    context,
    maxEditLength: maxEdits,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? replaced(names, live, after);
}

function replaced([from, to]: readonly [string, string], live: string, after: string): string {
  const marked = (mark: string, text: string): string => text.replaceAll(/^(?=.)/gm, mark);
  return `--- ${from}\n+++ ${to}\n${marked("-", live)}${marked("+", after)}`;
}
