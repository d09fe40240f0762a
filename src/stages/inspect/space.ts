import { readGraph } from "../../content/graph.ts";
import type { Fetcher } from "../../content/store.ts";
import { readSmall } from "../../content/verified.ts";
import type { BundleDocument } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import type { LockItem } from "../../model/lock.ts";
import { parseManifest } from "../../model/manifest.ts";
import { isManifest } from "../../model/media-type.ts";
import { parsePlatform, platformMatches, type Platform } from "../../model/platform.ts";

export interface ItemContent {
  readonly item: LockItem;
  /** Every blob of its graph, manifests included. */
  readonly blobs: readonly Pick<Descriptor, "digest" | "size">[];
}

/** A bundle, as far as its space is counted. */
interface InspectedBundle extends Fetcher {
  readonly document: BundleDocument;
  hasBlob(digest: Digest): boolean;
}

/** Bytes of the bundle that belong to one item, or to several at once. */
export interface Share {
  readonly kind: LockItem["kind"] | "shared" | "other";
  readonly name: string;
  readonly bytes: number;
  /** Of a shared blob: whose it is. */
  readonly of: readonly string[];
}

interface Space {
  readonly contents: readonly ItemContent[];
  /** Digests that are in this file: a delta names more than it carries. */
  readonly carried: ReadonlySet<string>;
  /** Entries that are no blobs: executables, charts, manifests. */
  readonly files: readonly { readonly name: string; readonly size: number }[];
  /** Of the bundle as a whole. */
  readonly total: number;
}

/**
 * Where the bytes of a bundle are. Each blob counts once: with its item, or, when several items have it, as a share of
 * its own. Files are `other`, as is what the archive itself takes, so that the shares add up to the whole.
 */
export function spaceOf({ contents, carried, files, total }: Space): readonly Share[] {
  const owners = new Map<string, { readonly size: number; readonly of: Set<string> }>();
  for (const { item, blobs } of contents)
    for (const { digest, size } of blobs) {
      if (!carried.has(digest)) continue;
      const known = owners.get(digest) ?? { size, of: new Set<string>() };
      known.of.add(item.reference);
      owners.set(digest, known);
    }
  const own = new Map<string, number>();
  const shared = new Map<string, { bytes: number; readonly of: readonly string[] }>();
  for (const { size, of } of owners.values()) {
    const names = [...of];
    const [first = ""] = names;
    if (names.length === 1) own.set(first, (own.get(first) ?? 0) + size);
    else {
      // Blobs that the same items share are one share: a common base has many layers.
      const key = names.sort().join("\n");
      const share = shared.get(key) ?? { bytes: 0, of: names };
      share.bytes += size;
      shared.set(key, share);
    }
  }
  const shares: Share[] = [
    ...contents.map(({ item }) => ({
      kind: item.kind,
      name: item.reference,
      bytes: own.get(item.reference) ?? 0,
      of: [item.reference],
    })),
    ...files.map(({ name, size }) => ({ kind: "other" as const, name, bytes: size, of: [] })),
    ...[...shared.values()].map(({ bytes, of }) => ({ kind: "shared" as const, name: of.join(", "), bytes, of })),
  ];
  const rest = total - shares.reduce((sum, { bytes }) => sum + bytes, 0);
  if (rest > 0) shares.push({ kind: "other", name: "", bytes: rest, of: [] });
  return shares.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

/**
 * The blobs of every item, read from its manifests. Of a delta, whose manifests may be on the other side, what can be
 * read here is listed: a page about it says what this file holds.
 */
export async function itemContents(bundle: InspectedBundle, signal: AbortSignal): Promise<readonly ItemContent[]> {
  const contents: ItemContent[] = [];
  for (const item of bundle.document.items) {
    if (!bundle.hasBlob(item.root.digest)) {
      contents.push({ item, blobs: [] });
      continue;
    }
    const missing = bundle.document.delta !== undefined;
    const graph = await readGraph(bundle, item.root, "bundle", signal).catch((error: unknown) => {
      if (missing) return undefined;
      throw error;
    });
    const manifests = graph?.manifests.map(({ descriptor }) => descriptor) ?? [item.root];
    contents.push({ item, blobs: [...(graph?.blobs ?? []), ...manifests] });
  }
  return contents;
}

/** What each platform adds to a bundle, and what is there for all of them or for several. */
export interface PlatformSpace {
  readonly own: ReadonlyMap<string, number>;
  readonly shared: number;
}

interface Sized extends InspectedBundle {
  readonly size: number;
  /** Programs are named for their platform: `helm-linux-arm64`. */
  readonly programs: readonly { readonly name: string; readonly size: number }[];
}

/** How much smaller a bundle gets with one platform less: bytes that only this platform wants. */
export async function platformSpace(bundle: Sized, signal: AbortSignal): Promise<PlatformSpace> {
  const { platforms } = bundle.document;
  const wanted = new Map<string, { readonly size: number; readonly by: Set<string> }>();
  const want = (name: string, size: number, by: readonly string[]): void => {
    const known = wanted.get(name) ?? { size, by: new Set<string>() };
    for (const platform of by) known.by.add(platform);
    wanted.set(name, known);
  };
  for (const item of bundle.document.items)
    for (const part of await partsOf(bundle, item, signal)) {
      const { manifests, blobs } = await readGraph(bundle, part, "bundle", signal);
      const by = named(part.platform, item.platforms);
      for (const { digest, size } of [...blobs, ...manifests.map(({ descriptor }) => descriptor)])
        if (bundle.hasBlob(digest)) want(digest, size, by);
    }
  for (const { name, size } of bundle.programs)
    want(
      name,
      size,
      platforms.filter((platform) => name.endsWith(`-${platform.replaceAll("/", "-")}`)),
    );
  const own = new Map(platforms.map((platform) => [platform, 0]));
  for (const { size, by } of wanted.values()) {
    const [only = "", ...others] = by;
    const known = own.get(only);
    if (others.length === 0 && known !== undefined) own.set(only, known + size);
  }
  return { own, shared: bundle.size - [...own.values()].reduce((sum, bytes) => sum + bytes, 0) };
}

/** The images that an index is made of; what is no index is one part. */
async function partsOf(from: Fetcher, { root }: LockItem, signal: AbortSignal): Promise<readonly Descriptor[]> {
  const manifest = parseManifest(await readSmall(from, root, "bundle", signal), root.mediaType);
  return manifest.kind === "index" ? manifest.manifests.filter(({ mediaType }) => isManifest(mediaType)) : [root];
}

/** The platforms of an item that a part of it is for; what names none is for all of them. */
function named(part: Platform | undefined, platforms: readonly string[]): readonly string[] {
  if (part === undefined) return platforms;
  return platforms.filter((text) => {
    const platform = parsePlatform(text);
    return platform !== undefined && platformMatches(platform, part);
  });
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Tile<T> extends Box {
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
