import { printBytes } from "../../std/bytes.ts";
import { fit } from "../width.ts";
import { escapeHtml } from "./escape.ts";

export interface MapTile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly kind: "image" | "plugin" | "chart" | "shared" | "other";
  /** In full, for the tooltip. */
  readonly name: string;
  /** Short, for the tile itself. */
  readonly label: string;
  readonly bytes: number;
}

/** Average width of a letter at 13 pixels: labels are cut by it, since SVG does not wrap or cut. */
const letter = 7.4;

export function treemapSvg(tiles: readonly MapTile[], width: number, height: number, title: string): string {
  const boxes = tiles.map(tileSvg).join("\n");
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">\n${boxes}\n</svg>`;
}

function tileSvg(tile: MapTile): string {
  const { x, y, width, height, kind, name, label, bytes } = tile;
  const at = (value: number): string => value.toFixed(1);
  const columns = Math.floor((width - 12) / letter);
  const lines = [
    ...(columns >= 4 && height >= 22
      ? [`<text x="${at(x + 6)}" y="${at(y + 17)}">${escapeHtml(fit(label, columns))}</text>`]
      : []),
    ...(columns >= 8 && height >= 40
      ? [`<text class="bytes" x="${at(x + 6)}" y="${at(y + 33)}">${printBytes(bytes)}</text>`]
      : []),
  ];
  const box = `<rect class="${kind}" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}"/>`;
  return `<g><title>${escapeHtml(name)}\n${printBytes(bytes)}</title>${box}${lines.join("")}</g>`;
}
