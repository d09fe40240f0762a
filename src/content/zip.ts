import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import { Failure } from "../model/failure.ts";

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

export interface ZipEntryLimits {
  /** What the archive is called in a failure. */
  readonly what: string;
  readonly maxBytes: number;
  /** Bytes out for each byte in. @default 200 */
  readonly maxRatio?: number | undefined;
}

const inflate = promisify(inflateRaw);
const headerSize = 30;
const ratioFloor = 1024 ** 2;

/**
 * The bytes of one entry, held against the size and the checksum that the directory gives. A stored entry is a view on
 * the archive, so a jar inside a jar costs no second copy.
 * @throws Failure ARCHIVE_INVALID
 */
export async function readZipEntry(archive: Uint8Array, entry: ZipEntry, limits: ZipEntryLimits): Promise<Uint8Array> {
  const { what, maxBytes, maxRatio = 200 } = limits;
  const refuse = (why: string, cause?: unknown): Failure =>
    new Failure("ARCHIVE_INVALID", { what, why: `zip: ${entry.name.slice(0, 100)}: ${why}` }, { cause });
  if (entry.size > maxBytes) throw refuse(`${entry.size} B > ${maxBytes} B`);
  if (entry.size > ratioFloor && entry.size > entry.compressedSize * maxRatio)
    throw refuse(`unpacks to more than ${maxRatio} times its size`);
  const packed = packedBytes(archive, entry);
  if (packed === undefined) throw refuse("outside of the file");
  const bytes = await unpack(packed, entry).catch((cause: unknown) => {
    throw refuse((cause as Error).message.slice(0, 100), cause);
  });
  if (bytes.byteLength !== entry.size) throw refuse(`${bytes.byteLength} B, ${entry.size} B wanted`);
  if (crc32(bytes) !== entry.crc32) throw refuse("checksum");
  return bytes;
}

function packedBytes(archive: Uint8Array, { offset, compressedSize, name }: ZipEntry): Uint8Array | undefined {
  if (offset + headerSize > archive.byteLength) return undefined;
  const view = new DataView(archive.buffer, archive.byteOffset + offset, headerSize);
  if (view.getUint32(0, true) !== 0x04034b50) return undefined;
  const nameSize = view.getUint16(26, true);
  const start = offset + headerSize + nameSize + view.getUint16(28, true);
  const local = Buffer.from(archive.subarray(offset + headerSize, offset + headerSize + nameSize)).toString("utf8");
  // A local header that names another file is how two readers are shown two archives.
  if (local !== name || start + compressedSize > archive.byteLength) return undefined;
  return archive.subarray(start, start + compressedSize);
}

async function unpack(packed: Uint8Array, { method, size }: ZipEntry): Promise<Uint8Array> {
  if (method === 0) return packed;
  if (method !== 8) throw new Error(method < 0 ? "encrypted" : `method ${method}`);
  return inflate(packed, { maxOutputLength: Math.max(1, size) });
}
