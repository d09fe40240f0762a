import { Failure } from "../../model/failure.ts";

/** One file of an archive, as the central directory has it; local headers may leave sizes to a data descriptor. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Where its local header stands. */
  readonly offset: number;
}

export type ZipDirectory = ReadonlyMap<string, ZipEntry>;

const endSize = 22;
const entrySize = 46;
const signature = { end: 0x06054b50, zip64: 0x07064b50, entry: 0x02014b50 } as const;

/**
 * The entries of a zip that is in memory, by name. The formats that ship jars know one directory, one disk and no
 * encryption; zip64 (more than 65,535 entries or 4 GiB) is refused, since nothing that is read here is so large.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 * @throws Failure ARCHIVE_INVALID; `what` names the archive there
 */
export function zipDirectory(archive: Uint8Array, what: string): ZipDirectory {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const refuse = (why: string): Failure => new Failure("ARCHIVE_INVALID", { what, why: `zip: ${why}` });
  const end = findEnd(bytes);
  if (end === undefined) throw refuse("no end of central directory");
  const count = bytes.readUInt16LE(end + 10);
  const size = bytes.readUInt32LE(end + 12);
  const start = bytes.readUInt32LE(end + 16);
  if (isZip64(bytes, end, { count, size, start })) throw refuse("zip64");
  if (bytes.readUInt16LE(end + 4) !== 0 || bytes.readUInt16LE(end + 8) !== count) throw refuse("more than one disk");
  // An executable jar may have a script before its first header: offsets then count from behind it.
  const base = end - size - start;
  if (base < 0) throw refuse("central directory outside of the file");
  const entries = new Map<string, ZipEntry>();
  let at = base + start;
  for (let index = 0; index < count; index += 1) {
    if (at + entrySize > end || bytes.readUInt32LE(at) !== signature.entry) throw refuse("damaged central directory");
    const entry = readEntry(bytes, at, base);
    if (entries.has(entry.name)) throw refuse(`two entries ${entry.name.slice(0, 100)}`);
    entries.set(entry.name, entry);
    at += entrySize + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  if (at !== end) throw refuse("central directory of another length");
  return entries;
}

/** The record is last but for a comment of at most 64 KiB, whose length must fit: text may hold the signature too. */
function findEnd(bytes: Buffer): number | undefined {
  for (let at = bytes.length - endSize; at >= Math.max(0, bytes.length - endSize - 0xffff); at -= 1) {
    if (bytes.readUInt32LE(at) === signature.end && at + endSize + bytes.readUInt16LE(at + 20) === bytes.length)
      return at;
  }
  return undefined;
}

function isZip64(
  bytes: Buffer,
  end: number,
  { count, size, start }: { readonly count: number; readonly size: number; readonly start: number },
): boolean {
  const locator = end >= 20 && bytes.readUInt32LE(end - 20) === signature.zip64;
  return locator || count === 0xffff || size === 0xffff_ffff || start === 0xffff_ffff;
}

function readEntry(bytes: Buffer, at: number, base: number): ZipEntry {
  const nameEnd = at + entrySize + bytes.readUInt16LE(at + 28);
  return {
    name: bytes.toString("utf8", at + entrySize, nameEnd),
    // Bit 0 says encrypted: as a method that nobody knows, such an entry can be listed and not be read.
    method: (bytes.readUInt16LE(at + 8) & 1) === 1 ? -1 : bytes.readUInt16LE(at + 10),
    crc32: bytes.readUInt32LE(at + 16),
    compressedSize: bytes.readUInt32LE(at + 20),
    size: bytes.readUInt32LE(at + 24),
    offset: base + bytes.readUInt32LE(at + 42),
  };
}
