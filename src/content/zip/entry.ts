import { promisify } from "node:util";
import { crc32, inflateRaw } from "node:zlib";
import { Failure } from "../../model/failure.ts";
import type { ZipEntry } from "./directory.ts";

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
