import { escapeHtml } from "./escape.ts";

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
