/** Byte counts in the units that `ls -lh`, Harbor and most stick labels use: powers of 1024 with an `i`. */
const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function printBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${units[unit] ?? "B"}`;
}

const factor: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Reads `3900MiB`, `4g`, `1024`; always powers of 1024. `undefined` when it is none of these. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  return Math.floor(Number(match[1]) * (factor[(match[2] ?? "").toLowerCase()] ?? 1));
}
