import type { Extent, RandomAccess } from "../../content/store.ts";
import {
  blobPrefix,
  entryPlace,
  entryTime,
  programPrefix,
  Entry,
  limits,
  type BundleDocument,
} from "../../model/bundle.ts";
import { maxBlobSize } from "../../model/descriptor.ts";
import { hexOf } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { isAllowedEntry } from "../../model/names.ts";
import {
  decodeFields,
  decodeHeader,
  encodeHeader,
  endOfArchive,
  isZero,
  tarBlock,
  tarPadding,
  type DecodedHeader,
} from "../../std/ustar.ts";

/** Says of one bundle where it is not what the format asks for. */
export type Refuse = (where: string, why: string) => Failure<"BUNDLE_MALFORMED">;

export function refuser(path: string): Refuse {
  // `where` may hold a name out of a hostile header.
  return (where, why) =>
    new Failure("BUNDLE_MALFORMED", { path, where: printable(where).slice(0, 200), why: printable(why).slice(0, 300) });
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}

/** Where an entry's content is in the file. */
interface FoundEntry extends Extent {
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
    if (padding > 0 && zeros.compare(bytes, 0, padding, 0, padding) !== 0) throw refuse(`offset ${at}`, "padding");
    const block = padding === 0 ? bytes : bytes.subarray(padding);
    if (isZero(block)) {
      refuseUnlessEnd(await window.read(at, endOfArchive), { at, source, refuse });
      return entries;
    }
    const { name, size, mtime } = entryHeader(block, at, refuse);
    if (entries.size === limits.entries) throw refuse(`offset ${at}`, `> ${limits.entries} entries`);
    const offset = at + tarBlock;
    const before = entries.size;
    if (entries.set(name, { name, offset, size, mtime }).size === before) throw refuse(name, "twice");
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
const leading = [Entry.layout, Entry.bundle, Entry.index, Entry.sums] as const;

/** What the kernel reads at once of a file, and keeps: headers of small entries share one, those of large ones do not. */
const pageSize = 4096;

/** Milliseconds without giving way; then one read does, so that a slow stick can be interrupted. */
const patience = 50;

/** Reads small stretches in ascending order, several out of one read where they are close. */
class HeaderWindow {
  readonly #source: RandomAccess;
  readonly #buffer = Buffer.alloc(2 * pageSize);
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #gaveWay = performance.now();

  constructor(source: RandomAccess) {
    this.#source = source;
  }

  /**
   * A promise only where it gives way: most calls need none. `length` is at most a few blocks; what is returned is valid until the next
   * read. Both numbers are within the size.
   */
  read(offset: number, length: number): Buffer | Promise<Buffer> {
    if (offset >= this.#at && offset + length <= this.#at + this.#bytes.length) return this.#slice(offset, length);
    // To the end of the page where the stretch ends, and no byte of the next: that one would be read for nothing.
    const end = Math.min(Math.ceil((offset + length) / pageSize) * pageSize, this.#source.size);
    if (this.#source.fillNow === undefined || performance.now() - this.#gaveWay > patience)
      return this.#source.read(offset, end - offset).then((bytes) => {
        this.#gaveWay = performance.now();
        return this.#keep(bytes, offset).#slice(offset, length);
      });
    const bytes = this.#buffer.subarray(0, end - offset);
    this.#source.fillNow(bytes, offset);
    return this.#keep(bytes, offset).#slice(offset, length);
  }

  #keep(bytes: Buffer, offset: number): this {
    this.#bytes = bytes;
    this.#at = offset;
    return this;
  }

  #slice(offset: number, length: number): Buffer {
    return this.#bytes.subarray(offset - this.#at, offset - this.#at + length);
  }
}

interface Found {
  readonly entries: ReadonlyMap<string, FoundEntry>;
  readonly document: BundleDocument;
  readonly sums: ReadonlyMap<string, string>;
  readonly refuse: Refuse;
}

/**
 * Holds the headers against bundle.json and SHA256SUMS: the fixed order, one clock, every blob at the size that is
 * listed, nothing that is not listed. All of it from what was read already.
 */
export function checkEntries(found: Found): void {
  checkOrder(found);
  checkBlobs(found);
  checkSums(found);
  const { entries, document, refuse } = found;
  const mtime = entryTime(document.created);
  for (const entry of entries.values()) if (entry.mtime !== mtime) throw refuse(entry.name, `mtime ${entry.mtime}`);
  for (const name of Object.keys(document.integrity)) if (!entries.has(name)) throw refuse(name, "missing");
}

function checkOrder({ entries, refuse }: Found): void {
  let [at, before] = [0, ""];
  for (const name of entries.keys()) {
    const key = leading[at] === undefined ? orderOf(name) : "";
    if (name !== (leading[at] ?? name) || key < before) throw refuse(name, "order");
    before = key;
    at += 1;
  }
  if (at < leading.length) throw refuse("end", "order");
}

/** Files are sorted within their place; blobs follow bundle.json, which `checkBlobs` looks at. */
function orderOf(name: string): string {
  if (name === Entry.signature) return "0";
  return name.startsWith(blobPrefix) ? "2" : `1 ${entryPlace(name)} ${name}`;
}

/**
 * The blobs are those of bundle.json less those that a delta expects elsewhere, in that order and of that size. Names of
 * blobs end in their sum: to compare ends makes no third string of each.
 */
function checkBlobs({ entries, document, refuse }: Found): void {
  const absent = new Set(document.delta?.absent);
  const wanted = document.blobs.filter(({ digest }) => !absent.has(digest));
  const found = [...entries.values()].filter(({ name }) => name.startsWith(blobPrefix));
  // No two entries have one name, so of those that are in the file none is listed twice.
  if (absent.size > 0 && new Set(document.blobs.map(({ digest }) => digest)).size !== document.blobs.length)
    throw refuse(Entry.bundle, "blobs: twice");
  if (document.blobs.length - wanted.length !== absent.size) throw refuse(Entry.bundle, "delta.absent");
  for (const [at, { digest, size }] of wanted.entries()) {
    const entry = found[at];
    if (entry?.name.endsWith(hexOf(digest)) !== true) throw refuse(entry?.name ?? "end", `wanted ${digest}`);
    if (entry.size !== size) throw refuse(entry.name, `${entry.size} B, bundle.json ${size} B`);
  }
  const more = found[wanted.length];
  if (more !== undefined) throw refuse(more.name, "not in bundle.json");
}

/** SHA256SUMS lists every entry but itself and its signature, in file order, and a blob's sum is its name. */
function checkSums({ entries, sums, refuse }: Found): void {
  const listed = sums.entries();
  for (const name of entries.keys()) {
    if (name === Entry.sums || name === Entry.signature) continue;
    const [other = "end", sum = ""] = listed.next().value ?? [];
    if (other !== name) throw refuse(Entry.sums, `${other}: wanted ${name}`);
    if (name.startsWith(blobPrefix) && !name.endsWith(sum)) throw refuse(Entry.sums, name);
  }
  const [more] = listed.next().value ?? [];
  if (more !== undefined) throw refuse(Entry.sums, `${more}: no such entry`);
}
