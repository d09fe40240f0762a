/** The first of these texts in one line, with `…` for all others: a message has room for so many. */
export function abridged(texts: readonly string[], most = 20): string {
  return [...texts.slice(0, most), ...(texts.length > most ? ["…"] : [])].join(", ");
}
