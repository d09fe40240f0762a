import { escapeHtml } from "./escape.ts";

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
  const head = header.map((name) => `<th scope="col"><button type="button">${escapeHtml(name)}</button></th>`).join("");
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table></div>`;
}

function cell({ text, class: name, value, title, mark }: Cell): string {
  const attributes = [
    ...(name === undefined ? [] : [` class="${name}"`]),
    ...(value === undefined ? [] : [` data-value="${value}"`]),
    ...(title === undefined ? [] : [` title="${escapeHtml(title)}"`]),
  ].join("");
  const marked = mark === undefined ? "" : `<span class="mark ${mark}"></span>`;
  return `<td${attributes}>${marked}${escapeHtml(text)}</td>`;
}
