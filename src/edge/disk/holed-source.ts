import { basename, dirname, join } from "node:path";
import type { RandomAccess } from "../../content/random-access.ts";
import { Failure } from "../../model/failure.ts";
import { DiskSource } from "./disk-source.ts";
import { openPart } from "./open-source.ts";
import { partHolding, piecesOf, type Part } from "./parts.ts";
import type { VolumeSet } from "./volumes-document.ts";

/** A stretch of the bundle that is not there to be read. */
export interface Hole {
  readonly offset: number;
  readonly size: number;
}

interface HoledPart extends Part {
  /** `undefined`: missing, or of another size than it was written with. */
  readonly source: DiskSource | undefined;
}

/** Volumes of which some are not there: for small reads, to find out what the missing ones held. */
export async function openHoled({ documentPath, document, base }: VolumeSet): Promise<RandomAccess> {
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
