import { unseen } from "../model/sanitize.ts";
import { canonicalJson, type Json } from "../std/canonical-json.ts";

/**
 * Columns that text takes on a terminal: Chinese, Japanese and full-width forms take two, combining marks none.
 * https://www.unicode.org/reports/tr11/
 */
export function widthOf(text: string): number {
  // Each command's help is laid out by yargs when it runs; for letters one by one that took 10 ms of every start.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOfCodePoint(character.codePointAt(0) ?? 0);
  return width;
}

const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

function widthOfCodePoint(point: number): number {
  if (point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x300 && point <= 0x36f) || point === 0x200d)
    return 0;
  return wide.some(([from, to]) => point >= from && point <= to) ? 2 : 1;
}

/** Cuts to `columns`, with an ellipsis when something was lost. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  for (const character of text) {
    if (widthOf(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Cuts in the middle: of a reference the host, the name and the tag stay, of a path its beginning and the file. */
export function fitMiddle(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let tail = "";
  for (const character of Array.from(text).reverse()) {
    if (widthOf(character + tail) > Math.ceil(((columns - 1) * 2) / 3)) break;
    tail = character + tail;
  }
  const head = columns - widthOf(tail);
  return head < 1 ? "" : `${fit(text, head)}${tail}`;
}

function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

/**
 * Text as it may stand on a terminal: no escape sequences, no control characters, nothing that turns the direction of
 * reading. Names in a bundle are written by whoever made it; line breaks are ours (`CONFIG_INVALID` lists lines).
 */
export function visible(text: string): string {
  return text
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(unseen, "")
    .replaceAll("\t", "");
}

/** The same for every string in a value that is printed as JSON, names of members too: what reads it shows it to people. */
export function visibleJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value), (_key, entry: unknown) => {
    if (typeof entry === "string") return visible(entry);
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
    return Object.fromEntries(Object.entries(entry).map(([name, member]) => [visible(name), member]));
  }) as Json;
}

/** What `--json` prints. */
export function jsonText(value: unknown): string {
  return canonicalJson(visibleJson(value));
}

/** Of a table; a bare name is a column that a narrow terminal leaves as it is. */
interface Column {
  readonly name: string;
  /** Where the terminal is too narrow: first what is left out goes, the last of it first, then names lose their middle. */
  readonly narrow: "shortened" | "left-out";
}

export const shortened = (name: string): Column => ({ name, narrow: "shortened" });
export const leftOut = (name: string): Column => ({ name, narrow: "left-out" });

const gap = "  ";
/** A name that is cut below this tells nothing apart any more. */
const shortestName = 12;

/**
 * Columns of text, aligned by what they take on the terminal; the last column is not padded.
 * @param width columns of the terminal that reads it; without, as in a pipe, everything is there in full
 */
export function table(
  header: readonly (string | Column)[],
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  const all = [header.map(nameOf), ...rows].map((row) => row.map((cell) => visible(cell).replaceAll("\n", " ")));
  const widest = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  const { shown, widths } = fitColumns(header, widest, width);
  const line = (row: readonly string[]): string =>
    shown
      .map((column, at) => {
        const cell = fitMiddle(row[column] ?? "", widths[column] ?? 0);
        return at === shown.length - 1 ? cell : pad(cell, widths[column] ?? 0);
      })
      .join(gap)
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}

function nameOf(column: string | Column): string {
  return typeof column === "string" ? column : column.name;
}

/** Which columns are shown, and how wide: what is too wide for the terminal even so, the terminal breaks. */
function fitColumns(
  header: readonly (string | Column)[],
  widest: readonly number[],
  width: number,
): { readonly shown: readonly number[]; readonly widths: readonly number[] } {
  const are = (what: Column["narrow"]): number[] =>
    header.flatMap((column, at) => (typeof column !== "string" && column.narrow === what ? [at] : []));
  const widths = [...widest];
  const spare = are("left-out");
  let shown = header.map((_, at) => at);
  const excess = (): number =>
    shown.reduce((sum, at) => sum + (widths[at] ?? 0), gap.length * (shown.length - 1)) - width;
  while (excess() > 0 && spare.length > 0) {
    const last = spare.pop();
    shown = shown.filter((at) => at !== last);
  }
  const names = are("shortened");
  while (excess() > 0 && names.length > 0) {
    const longest = names.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a));
    if ((widths[longest] ?? 0) <= shortestName) break;
    widths[longest] = (widths[longest] ?? 0) - 1;
  }
  return { shown, widths };
}
