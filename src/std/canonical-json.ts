/** JSON as our own data types allow it: what parse gives back is what was printed. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * Prints JSON with sorted keys, so that equal values are equal bytes on every machine. Two spaces and a final newline:
 * these files are read by people on the far side, with `less`.
 */
export function canonicalJson(value: Json): string {
  return `${JSON.stringify(sorted(value), undefined, 2)}\n`;
}

function sorted(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((entry: Json) => sorted(entry) ?? null);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as { readonly [key: string]: Json | undefined });
  return Object.fromEntries(
    entries
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, entry]) => [key, sorted(entry)]),
  );
}
