import type { RandomAccess } from "../../content/random-access.ts";
import { blobPrefix, programPrefix, Entry, limits } from "../../model/bundle.ts";
import { maxBlobSize } from "../../model/descriptor.ts";
import { isAllowedEntry } from "../../model/names.ts";
import {
  decodeFields,
  decodeHeader,
  encodeHeader,
  isZero,
  tarBlock,
  tarPadding,
  type DecodedHeader,
} from "../../std/ustar.ts";
import { endOfArchive } from "./layout.ts";
import type { Refuse } from "./malformed.ts";
import { HeaderWindow } from "./header-window.ts";

/** Where an entry's content is in the file. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

export interface FoundEntry extends Place {
  readonly name: string;
  readonly mtime: number;
}

/**
 * Hops from header to header, and reads nothing else: a bundle of any size is listed in milliseconds. What it returns
 * lies one behind the other without gaps, so nothing can overlap; after the last entry come two zero blocks and the end.
 */
export async function readEntries(
  source: RandomAccess,
  refuse: Refuse,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, FoundEntry>> {
  const window = new HeaderWindow(source);
  const entries = new Map<string, FoundEntry>();
  let padding = 0;
  for (let at = 0; ;) {
    signal?.throwIfAborted();
    if (at + endOfArchive > source.size) throw refuse(`offset ${at}`, "no end blocks");
    // The padding before a header comes with it, at no further read.
    const read = window.read(at - padding, padding + tarBlock);
    const bytes = read instanceof Promise ? await read : read;
    if (zeros.compare(bytes, 0, padding, 0, padding) !== 0) throw refuse(`offset ${at}`, "padding");
    const block = padding === 0 ? bytes : bytes.subarray(padding);
    if (isZero(block)) {
      refuseUnlessEnd(await window.read(at, endOfArchive), { at, source, refuse });
      return entries;
    }
    const { name, size, mtime } = entryHeader(block, at, refuse);
    if (entries.has(name)) throw refuse(name, "twice");
    if (entries.size === limits.entries) throw refuse(`offset ${at}`, `> ${limits.entries} entries`);
    const offset = at + tarBlock;
    entries.set(name, { name, offset, size, mtime });
    padding = tarPadding(size);
    at = offset + size + padding;
    if (at > source.size) throw refuse(name, `ends at ${at}, size ${source.size}`);
  }
}

const zeros = Buffer.alloc(tarBlock);
const canonical = Buffer.alloc(tarBlock);

/**
 * The header of an entry that may be in a bundle. There is one way to write it, so it is held against that; whatever
 * else could stand in it (links, devices, owners, GNU's or pax's extra headers, a second spelling) is refused.
 */
function entryHeader(block: Buffer, at: number, refuse: Refuse): DecodedHeader {
  const header = decodeFields(block);
  const good = !("wrong" in header) && wrongWith(header) === undefined && encodeHeader(header, canonical).equals(block);
  if (good) return header;
  const explained = decodeHeader(block);
  if ("wrong" in explained) throw refuse(`offset ${at}`, explained.wrong);
  throw refuse(explained.name, wrongWith(explained) ?? "header");
}

function wrongWith({ name, size, type }: DecodedHeader): string | undefined {
  if (type !== "0") return `type ${JSON.stringify(type)}`;
  if (!isAllowedEntry(name)) return "name";
  const bound = name.startsWith(blobPrefix) || name.startsWith(programPrefix) ? maxBlobSize : limits.smallFile;
  return size > bound ? `${size} B > ${bound} B` : undefined;
}

function refuseUnlessEnd(
  blocks: Buffer,
  { at, source, refuse }: { readonly at: number; readonly source: RandomAccess; readonly refuse: Refuse },
): void {
  if (!isZero(blocks)) throw refuse(`offset ${at}`, "end blocks");
  if (at + endOfArchive !== source.size) throw refuse(`offset ${at + endOfArchive}`, "bytes after the end");
}

/** The entries that every bundle begins with. */
export const leading = [Entry.layout, Entry.bundle, Entry.index, Entry.sums] as const;
