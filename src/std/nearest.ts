/** The candidate that `word` was probably meant to be: at most a third of its letters differ, or it is the one that begins so. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const begun: string[] = [];
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= Math.max(1, Math.floor(word.length / 3)) && distance < (best?.distance ?? Infinity))
      best = { candidate, distance };
    if (word.length > 2 && candidate.toLowerCase().startsWith(word.toLowerCase())) begun.push(candidate);
  }
  return best?.candidate ?? (begun.length === 1 ? begun[0] : undefined);
}

/**
 * Letters to insert, delete, replace, or swap with a neighbour (optimal string alignment). By hand, since leven and its
 * like count a swap, the most frequent slip of all, as two.
 */
export function editDistance(a: string, b: string): number {
  // A long key is no typing mistake; without this bound a hostile file decides how long we work.
  if (a.length > 80 || b.length > 80) return Math.max(a.length, b.length);
  const rows = [...Array.from({ length: a.length + 1 }, (_, row) => [row])];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? (row === 0 ? column : row);
  for (let row = 1; row <= a.length; row += 1)
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const steps = [at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + (same ? 0 : 1)];
      (rows[row] ??= [row])[column] = Math.min(...steps, ...(swapped ? [at(row - 2, column - 2) + 1] : []));
    }
  return at(a.length, b.length);
}
