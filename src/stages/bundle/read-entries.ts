import type { RandomAccess } from "../../content/random-access.ts";
import { blobPrefix, Entry, isAllowedEntry, limits } from "../../model/bundle.ts";
import { maxBlobSize } from "../../model/descriptor.ts";
import { decodeHeader, encodeHeader, isZero, tarBlock, tarPadding, type DecodedHeader } from "../../std/ustar.ts";
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
 * Hops from header to header, and reads nothing else: a bundle of any size is listed in milliseconds. What it yields
 * lies one behind the other without gaps, so nothing can overlap; after the last entry come two zero blocks and the end.
 */
export async function* readEntries(
  source: RandomAccess,
  refuse: Refuse,
  signal?: AbortSignal,
): AsyncGenerator<FoundEntry> {
  const window = new HeaderWindow(source);
  const names = new Set<string>();
  let padding = 0;
  for (let at = 0; ;) {
    signal?.throwIfAborted();
    const where = `offset ${at}`;
    if (at + endOfArchive > source.size) throw refuse(where, "no end blocks");
    // The padding before a header comes with it, at no further read.
    const bytes = await window.read(at - padding, padding + tarBlock);
    if (!isZero(bytes.subarray(0, padding))) throw refuse(where, "padding");
    const block = bytes.subarray(padding);
    if (isZero(block)) {
      refuseUnlessEnd(await window.read(at, endOfArchive), { at, source, refuse });
      return;
    }
    const header = entryHeader(block, where, refuse);
    if (names.has(header.name)) throw refuse(header.name, "twice");
    names.add(header.name);
    if (names.size > limits.entries) throw refuse(where, `> ${limits.entries} entries`);
    padding = tarPadding(header.size);
    const offset = at + tarBlock;
    at = offset + header.size + padding;
    if (at > source.size) throw refuse(header.name, `ends at ${at}, size ${source.size}`);
    yield { name: header.name, offset, size: header.size, mtime: header.mtime };
  }
}

/** The header of an entry that may be in a bundle. Links, devices, directories and GNU's or pax's extra headers may not. */
function entryHeader(block: Buffer, where: string, refuse: Refuse): DecodedHeader {
  const header = decodeHeader(block);
  if ("wrong" in header) throw refuse(where, header.wrong);
  const { name, size, type } = header;
  if (type !== "0") throw refuse(name, `type ${JSON.stringify(type)}`);
  if (!isAllowedEntry(name)) throw refuse(name, "name");
  const bound = name.startsWith(blobPrefix) || name.startsWith("bin/") ? maxBlobSize : limits.smallFile;
  if (size > bound) throw refuse(name, `${size} B > ${bound} B`);
  // One way to write a header: whatever else could stand in it (owners, devices, a second spelling) is refused.
  if (!encodeHeader(header).equals(block)) throw refuse(name, "header");
  return header;
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
