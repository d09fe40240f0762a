import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { squarify } from "../../../../src/stages/inspect/space.ts";

const box = { x: 0, y: 0, width: 600, height: 400 };
const weights = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 60 });

describe("squarify", () => {
  it("gives every weight its share of the area, inside the box, and covers all of it", () => {
    const property = fc.property(weights, (entries) => {
      const tiles = squarify(entries, (weight) => weight, box);
      const total = entries.reduce((sum, weight) => sum + weight, 0);
      expect(tiles.map(({ entry }) => entry)).toEqual(entries.filter((it) => it > 0).sort((a, b) => b - a));
      for (const { entry, x, y, width, height } of tiles) {
        expect(width * height).toBeCloseTo((entry / total) * 240_000, 3);
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
        expect([x + width <= 600.001, y + height <= 400.001]).toEqual([true, true]);
      }
    });
    fc.assert(property, { seed: 11, numRuns: 200 });
  });

  it("lets no two tiles overlap", () => {
    const property = fc.property(weights, (entries) => {
      const tiles = squarify(entries, (weight) => weight, box);
      const overlap = tiles.flatMap((a, at) =>
        tiles.slice(at + 1).filter((b) => {
          const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
          const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
          return wide > 1e-6 && high > 1e-6;
        }),
      );
      expect(overlap).toEqual([]);
    });
    fc.assert(property, { seed: 12, numRuns: 100 });
  });

  it("makes tiles that are near squares, as the paper's own example", () => {
    const tiles = squarify([6, 6, 4, 3, 2, 2, 1], (weight) => weight, { x: 0, y: 0, width: 6, height: 4 });
    const first = tiles[0];
    expect([first?.width, first?.height]).toEqual([3, 2]);
    const ratios = tiles.map(({ width, height }) => Math.max(width / height, height / width));
    expect(Math.max(...ratios)).toBeLessThan(3);
  });
});
