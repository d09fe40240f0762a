import { createHash } from "node:crypto";
import type { Language } from "../language.ts";
import { visible } from "../width.ts";

/** Text of others inside HTML, in elements and in quoted attributes alike. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

export function heading(text: string): string {
  return `<h2>${escapeHtml(text)}</h2>\n`;
}

export function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>\n`;
}

export function definitions(facts: readonly (readonly [string, string])[]): string {
  const entries = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<dl>${entries.join("")}</dl>`;
}

export interface Cell {
  readonly text: string;
  readonly class?: "number" | "name" | "mono" | "kind" | undefined;
  /** What the column is sorted by, where that is not the text. */
  readonly value?: number | undefined;
  /** Shown in full when a pointer rests on it. */
  readonly title?: string | undefined;
  /** Colour of a mark before the text. */
  readonly mark?: string | undefined;
}

export function htmlTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  // No button: Chromium does not repeat a head on the next sheet of paper that has one in it.
  const head = header
    .map((name, at) => {
      const number = rows[0]?.[at]?.class === "number" ? ' class="number"' : "";
      return `<th scope="col"${number}><span role="button" tabindex="0">${escapeHtml(name)}</span></th>`;
    })
    .join("");
  // On a telephone each row is a card, and a cell says by itself what it is.
  const cellOf = (content: Cell, at: number): string => cell(content, header[at] ?? "");
  const body = rows.map((row) => `<tr>${row.map(cellOf).join("")}</tr>`).join("\n");
  return `<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

function cell({ text, class: name, value, title, mark }: Cell, label: string): string {
  const attributes = [
    ` data-label="${escapeHtml(label)}"`,
    ...(name === undefined ? [] : [` class="${name}"`]),
    ...(value === undefined ? [] : [` data-value="${value}"`]),
    ...(title === undefined ? [] : [` title="${escapeHtml(title)}"`]),
  ].join("");
  const marked = mark === undefined ? "" : `<span class="mark ${mark}"></span>`;
  const shown = name === "name" ? breakable(escapeHtml(text)) : escapeHtml(text);
  return `<td${attributes}>${marked}${shown}</td>`;
}

/** A reference is broken between its parts; browsers would cut `1.0.0` in two rather than break behind a slash. */
function breakable(escaped: string): string {
  return escaped.replaceAll("/", "/<wbr>").replace(/:(?=[^/:]*$)/, "<wbr>:");
}

/** Sorts a table by the column that is clicked; the page reads the same without it. */
const script = `
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.querySelectorAll("th")];
  heads.forEach((head, column) => {
    const button = head.firstElementChild;
    button.addEventListener("keydown", (event) => { if (event.key === "Enter") button.click(); });
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const valueOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
      const rows = [...table.tBodies[0].rows].sort((a, b) =>
        valueOf(a).localeCompare(valueOf(b), "en", { numeric: true }) * (up ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  });
}
`;

/** Light and dark by the reader's system. Each kind has one colour, in the map and in the table. */
const style = `
:root { --ink: #1c2430; --soft: #5b6675; --paper: #ffffff; --line: #d9dee6; --row: #f5f7fa;
  --image: #2f6fb2; --plugin: #2c8a5b; --chart: #b06a1c; --shared: #7b5aa6; --other: #69707c; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --soft: #9aa6b5; --paper: #12161c; --line: #2c3440; --row: #181e26;
    --image: #3a78b8; --plugin: #2f8f60; --chart: #b06f26; --shared: #8463b0; --other: #6b7480; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 28px 0 8px; } h2::first-letter, p::first-letter { text-transform: uppercase; }
p, dl { color: var(--soft); margin: 0 0 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; } dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
svg { width: 100%; height: auto; display: block; border-radius: 6px; }
svg rect { stroke: var(--paper); stroke-width: 1.5; } svg text { fill: #ffffff; font-size: 13px; pointer-events: none; }
svg text.bytes { opacity: .8; font-size: 11px; }
rect.image { fill: var(--image); } rect.plugin { fill: var(--plugin); } rect.chart { fill: var(--chart); }
rect.shared { fill: var(--shared); } rect.other { fill: var(--other); } svg g:hover rect { opacity: .85; }
ul.legend { list-style: none; padding: 0; margin: 10px 0 0; display: flex; flex-wrap: wrap; gap: 4px 20px; }
.mark { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
.mark.image { background: var(--image); } .mark.plugin { background: var(--plugin); } .mark.chart { background: var(--chart); }
.mark.shared { background: var(--shared); } .mark.other { background: var(--other); }
.mark.added { background: var(--plugin); } .mark.removed { background: #b3403a; } .mark.changed { background: var(--chart); }
.mark.done { background: var(--plugin); } .mark.warning { background: var(--chart); } .mark.error { background: #b3403a; } .mark.note { background: var(--other); }
p.outcome { color: var(--ink); border-left: 4px solid var(--other); padding: 6px 12px; background: var(--row); }
p.outcome.done { border-color: var(--plugin); } p.outcome.findings, p.outcome.interrupted { border-color: var(--chart); } p.outcome.failed { border-color: #b3403a; }
pre { background: var(--row); padding: 8px 12px; border-radius: 4px; overflow-x: auto; font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 8px; }
.scroll { overflow-x: auto; } .scroll + p { margin-top: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:hover { background: var(--row); } td.number, th.number { text-align: right; white-space: nowrap; }
td.name { overflow-wrap: anywhere; min-width: 240px; } td.mono { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace; font-size: 12px; white-space: nowrap; }
td.kind { white-space: nowrap; }
th [role=button] { all: unset; cursor: pointer; font-weight: 600; white-space: nowrap; } th [role=button]:focus-visible { outline: 2px solid var(--image); }
th[aria-sort=ascending] [role=button]::after { content: " \\2191"; } th[aria-sort=descending] [role=button]::after { content: " \\2193"; }
@media (max-width: 640px) {
  main { padding: 16px; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; }
  table, tbody, tr, td { display: block; } thead tr { display: flex; flex-wrap: wrap; gap: 0 14px; }
  tbody tr { border-bottom: 1px solid var(--line); padding: 8px 0; }
  td, td.number, td.name, td.mono, td.kind { border: 0; padding: 1px 0 1px 96px; min-height: 20px; min-width: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; position: relative; }
  td:empty, th:has(:empty) { display: none; } td::before { content: attr(data-label); position: absolute; left: 0; width: 90px; color: var(--soft); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  tr > td:only-child { padding-left: 0; } tr > td:only-child::before { content: none; } }
@page { size: A4; margin: 14mm 12mm; }
@media print {
  :root { --ink: #000000; --soft: #444444; --paper: #ffffff; --line: #bbbbbb; --row: #ffffff; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } main { padding: 0; max-width: none; } th [role=button]::after { content: none; } p.screen { display: none; }
  table { font-size: 9px; } td.name { min-width: 150px; } td.name, td.mono { white-space: normal; overflow-wrap: anywhere; } td.mono { font-size: 8px; min-width: 104px; }
  thead { display: table-header-group; } tr, svg, pre, li { break-inside: avoid; } h2 { break-after: avoid; } .scroll { overflow: visible; } }
`;

export interface Page {
  readonly title: string;
  /** HTML; everything of others in it is escaped already. */
  readonly body: string;
  /** Seconds after which the page reads itself again: what it tells of goes on. */
  readonly reloads?: number | undefined;
}

/**
 * One file that needs nothing else: no URL is in it. The policy allows exactly our own style and script, by their
 * hashes, so that a name that got through the escaping still could not run or fetch anything.
 */
export function page({ title, body, reloads }: Page, language: Language): string {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="${language === "zh" ? "zh-CN" : "en"}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">${reloads === undefined ? "" : `\n<meta http-equiv="refresh" content="${reloads}">`}
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
<script>${script}</script>
</body>
</html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
