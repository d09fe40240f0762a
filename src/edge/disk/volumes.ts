import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { RandomAccess } from "../../content/store.ts";
import { volumeBlock } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { DiskSource, isVolumeName, partHolding, piecesOf, type Part } from "./disk-source.ts";
import { hashRanges } from "./hash-ranges.ts";
import { openPart } from "./open-source.ts";
import { findVolumes, type VolumeSet } from "./volumes-document.ts";

interface InspectOptions {
  /** Which items lie in a stretch that cannot be read, as far as the rest of `source` tells. */
  readonly itemsIn?: ((source: RandomAccess, hole: Hole) => Promise<readonly string[]>) | undefined;
}

/**
 * Looks at volumes without reading them whole: what is missing, cut, of another build, or left over from one. All of
 * them, named. A bundle in one file has no findings.
 */
export async function inspectVolumes(path: string, options: InspectOptions = {}): Promise<readonly Finding[]> {
  const set = await findVolumes(path);
  if (set === undefined) return [];
  await using source = await openHoled(set);
  const itemsIn = async (hole: Hole): Promise<string> => (await options.itemsIn?.(source, hole))?.join(", ") ?? "";
  const findings: Finding[] = [];
  let offset = 0;
  for (const volume of set.document.volumes) {
    const hole = { offset, size: volume.size };
    findings.push(...(await inspectVolume(set, volume, () => itemsIn(hole))));
    offset += volume.size;
  }
  return [...findings, ...(await leftovers(set))];
}

type Volume = VolumeSet["document"]["volumes"][number];

async function inspectVolume(
  { documentPath }: VolumeSet,
  volume: Volume,
  items: () => Promise<string>,
): Promise<readonly Finding[]> {
  const path = join(dirname(documentPath), volume.name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true)
    return [finding("error", "bundle.volume-missing", { volume: volume.name, items: await items() })];
  if (found.size !== volume.size) {
    const facts = { volume: volume.name, wanted: volume.size, got: found.size };
    return [finding("error", "bundle.volume-size", { ...facts, items: await items() })];
  }
  if (!(await isForeign(path, volume))) return [];
  return [
    finding("error", "bundle.volume-foreign", { volume: volume.name, why: "sha256 of the first and last block" }),
  ];
}

/** Another build's volume differs everywhere; a damaged one hardly in both its first and its last 4 MiB. */
async function isForeign(path: string, { size, blocks }: Volume): Promise<boolean> {
  await using source = new DiskSource(path, [await openPart(path, 0)]);
  const last = (blocks.length - 1) * volumeBlock;
  const ends = blocks.length > 1 ? [0, last] : [0];
  const ranges = ends.map((offset) => ({ offset, size: Math.max(0, Math.min(volumeBlock, size - offset)) }));
  const hashes = await hashRanges(source, ranges, { workers: 0 });
  // A volume of one block says nothing by that block alone: it is looked at as damage.
  return blocks.length > 1 && hashes.every((hash, index) => hash !== blocks[index === 0 ? 0 : blocks.length - 1]);
}

/** Volumes behind the last one, of an older and longer build: a glob would take them for part of this one. */
async function leftovers({ base, document }: VolumeSet): Promise<readonly Finding[]> {
  const names = await readdir(dirname(base));
  const ours = new Set(document.volumes.map(({ name }) => name));
  const numbered = names.filter((name) => name.startsWith(`${basename(base)}.`) && isVolumeName(name));
  const stale = numbered.filter((name) => !ours.has(name)).sort();
  return stale.map((volume) => finding("warning", "bundle.volume-foreign", { volume, why: "not in .volumes.json" }));
}

/** A stretch of the bundle that is not there to be read. */
interface Hole {
  readonly offset: number;
  readonly size: number;
}

interface HoledPart extends Part {
  /** `undefined`: missing, or of another size than it was written with. */
  readonly source: DiskSource | undefined;
}

/** Volumes of which some are not there: for small reads, to find out what the missing ones held. */
async function openHoled({ documentPath, document, base }: VolumeSet): Promise<RandomAccess> {
  const parts: HoledPart[] = [];
  let offset = 0;
  for (const { name, size } of document.volumes) {
    const path = join(dirname(documentPath), name);
    parts.push({ path, offset, size, source: await openWhole(path, size) });
    offset += size;
  }
  return new HoledSource(base, document.size, parts);
}

async function openWhole(path: string, size: number): Promise<DiskSource | undefined> {
  const part = await openPart(path, 0).catch(() => undefined);
  if (part === undefined || part.size === size) return part && new DiskSource(path, [part]);
  await part.handle.close();
  return undefined;
}

class HoledSource implements RandomAccess {
  readonly name: string;
  readonly size: number;
  readonly #parts: readonly HoledPart[];

  constructor(name: string, size: number, parts: readonly HoledPart[]) {
    this.name = name;
    this.size = size;
    this.#parts = parts;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes: Buffer[] = [];
    for (const { part, at, length: count } of piecesOf(this.#parts, offset, length)) {
      if (part.source === undefined) throw new Failure("FILE_UNREADABLE", { path: part.path, reason: "ENOENT" });
      bytes.push(await part.source.read(at, count));
    }
    return Buffer.concat(bytes);
  }

  async *stream(offset: number, length: number): AsyncGenerator<Uint8Array> {
    yield await this.read(offset, length);
  }

  partAt(offset: number): string {
    return basename(partHolding(this.#parts, offset)?.path ?? this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { source } of this.#parts) await source?.[Symbol.asyncDispose]();
  }
}
