export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Tile<T> extends Box {
  readonly entry: T;
}

/**
 * Lays weights out as rectangles whose areas are in proportion, as square as can be (Bruls, Huizing, van Wijk:
 * Squarified Treemaps, 2000). Entries without weight get no tile.
 */
export function squarify<T>(entries: readonly T[], weightOf: (entry: T) => number, within: Box): readonly Tile<T>[] {
  const weighted = entries
    .map((entry) => ({ entry, weight: weightOf(entry) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return [];
  const scale = (within.width * within.height) / total;
  const left = weighted.map(({ entry, weight }) => ({ entry, area: weight * scale }));
  const tiles: Tile<T>[] = [];
  let free = within;
  while (left.length > 0) {
    const row = left.splice(0, rowLength(left, Math.min(free.width, free.height)));
    const placed = place(row, free);
    tiles.push(...placed.tiles);
    free = placed.free;
  }
  return tiles;
}

interface Area<T> {
  readonly entry: T;
  readonly area: number;
}

/** How many entries make the best row along `side`: as long as the worst of them gets no longer. */
function rowLength(areas: readonly { readonly area: number }[], side: number): number {
  let length = 1;
  let sum = areas[0]?.area ?? 0;
  const largest = sum;
  let worst = worstRatio(sum, largest, sum, side);
  for (const { area } of areas.slice(1)) {
    const next = worstRatio(sum + area, largest, area, side);
    if (next > worst) break;
    sum += area;
    worst = next;
    length += 1;
  }
  return length;
}

function worstRatio(sum: number, largest: number, smallest: number, side: number): number {
  const square = (sum / side) ** 2;
  return Math.max(largest / square, square / smallest);
}

/** Puts one row along the shorter side of `free`. */
function place<T>(row: readonly Area<T>[], free: Box): { readonly tiles: readonly Tile<T>[]; readonly free: Box } {
  const sum = row.reduce((total, { area }) => total + area, 0);
  const upright = free.width >= free.height;
  const thickness = Math.min(upright ? free.width : free.height, sum / (upright ? free.height : free.width));
  let at = upright ? free.y : free.x;
  const tiles = row.map(({ entry, area }) => {
    const length = thickness === 0 ? 0 : area / thickness;
    const tile = upright
      ? { entry, x: free.x, y: at, width: thickness, height: length }
      : { entry, x: at, y: free.y, width: length, height: thickness };
    at += length;
    return tile;
  });
  return {
    tiles,
    free: upright
      ? { ...free, x: free.x + thickness, width: free.width - thickness }
      : { ...free, y: free.y + thickness, height: free.height - thickness },
  };
}
