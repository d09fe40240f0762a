import { catalogueOf, type Language } from "../language.ts";
import { escapeHtml, page, htmlTable, type Cell } from "./page.ts";

export interface DiffRow {
  readonly what: "added" | "removed" | "changed";
  readonly kind: string;
  readonly name: string;
  readonly details: readonly string[];
}

export interface DiffPage {
  readonly before: string;
  readonly after: string;
  readonly summary: readonly string[];
  readonly rows: readonly DiffRow[];
}

export function diffPage({ before, after, summary, rows }: DiffPage, language: Language): string {
  const { words } = catalogueOf(language);
  const title = `${before} → ${after}`;
  const table = htmlTable(
    [words.changed, words.kind, words.name, ""],
    rows.map((row): readonly Cell[] => [
      { text: words[row.what], class: "kind", mark: row.what },
      { text: row.kind },
      { text: row.name, class: "name" },
      { text: row.details.join("; "), class: "name" },
    ]),
  );
  const lines = summary.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n");
  return page({ title, body: `<h1>${escapeHtml(title)}</h1>\n${lines}\n${rows.length === 0 ? "" : table}` }, language);
}
