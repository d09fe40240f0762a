import { visible } from "../visible.ts";

/** Text of others inside HTML, in elements and in quoted attributes alike. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}
