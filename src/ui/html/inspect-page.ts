import type { BundleDocument } from "../../model/bundle.ts";
import { builtInRole, type LockItem } from "../../model/lock.ts";
import { printBytes } from "../../std/bytes.ts";
import { catalogueOf, type Language } from "../language.ts";
import { fit } from "../width.ts";
import { escapeHtml, page, htmlTable, type Cell } from "./page.ts";

export interface InspectPage {
  readonly document: BundleDocument;
  /** sha256 of bundle.json: which bundle this page is about. */
  readonly id: string;
  /** Of the file or all its volumes. */
  readonly size: number;
  readonly map: { readonly tiles: readonly MapTile[]; readonly width: number; readonly height: number };
}

/** What a bundle carries, for a reader who has neither this program nor a network. */
export function inspectPage({ document, id, size, map }: InspectPage, language: Language): string {
  const { words, punctuation } = catalogueOf(language);
  const { comma } = punctuation;
  const title = `${document.name} ${document.version}`;
  const facts: readonly (readonly [string, string])[] = [
    [
      words.size,
      [printBytes(size), `${document.items.length} ${words.items}`, `${document.blobs.length} ${words.blobs}`].join(
        comma,
      ),
    ],
    [words.platforms, document.platforms.join(" ")],
    ["Kubernetes", document.kubeVersion],
    [words.created, document.created],
    [words.tool, `${document.tool.name} ${document.tool.version}`],
    ["sha256(bundle.json)", id],
  ];
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    `<dl>${facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join("")}</dl>`,
    `<h2>${escapeHtml(words["takes-space"])}</h2>`,
    `<p>${escapeHtml(words.once)}</p>`,
    treemapSvg(map.tiles, map.width, map.height, words["takes-space"]),
    legend(map.tiles, language),
    `<h2>${escapeHtml(words.items)}</h2>`,
    `<p class="screen">${escapeHtml(words.sort)}</p>`,
    itemTable(document.items, language),
  ];
  return page({ title, body: body.join("\n") }, language);
}

/** Items of one kind have one colour; the sums say at a glance whether plugins or images make a bundle large. */
function legend(tiles: readonly MapTile[], language: Language): string {
  const { words } = catalogueOf(language);
  const names = {
    image: words.images,
    plugin: words.plugins,
    chart: words.charts,
    shared: words.shared,
    other: words.other,
  };
  const entries = (Object.keys(names) as (keyof typeof names)[]).map((kind) => {
    const bytes = tiles.filter((tile) => tile.kind === kind).reduce((sum, tile) => sum + tile.bytes, 0);
    return bytes === 0
      ? ""
      : `<li><span class="mark ${kind}"></span>${escapeHtml(names[kind])} ${printBytes(bytes)}</li>`;
  });
  return `<ul class="legend">${entries.join("")}</ul>`;
}

function itemTable(items: readonly LockItem[], language: Language): string {
  const { words, kinds } = catalogueOf(language);
  const header = [
    words.kind,
    words.reference,
    words.version,
    words.size,
    words.platforms,
    words.digest,
    words.licence,
    words.role,
  ];
  return htmlTable(
    header,
    [...items]
      .sort((a, b) => b.bytes - a.bytes)
      .map((item): readonly Cell[] => [
        { text: kinds[item.kind], class: "kind", mark: item.kind },
        { text: item.reference, class: "name" },
        { text: item.version ?? "" },
        { text: printBytes(item.bytes), class: "number", value: item.bytes },
        { text: item.platforms.join(" ") },
        { text: item.root.digest.slice(0, 19), class: "mono", title: item.root.digest },
        { text: item.licence ?? "" },
        { text: item.role === builtInRole ? words["built-in"] : item.role },
      ]),
  );
}

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

function treemapSvg(tiles: readonly MapTile[], width: number, height: number, title: string): string {
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
