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

/** Columns of text, aligned by what they take on the terminal; the last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map((cell) => visible(cell).replaceAll("\n", " ")));
  const widths = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return `${all.map(line).join("\n")}\n`;
}
