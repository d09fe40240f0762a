import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, type FileHandle } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";

// APPNOTE.TXT 6.3: 4.3.12 central directory, 4.3.16 its end, 4.3.7 local header.
const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const endSize = 22;
const entrySize = 46;
const localSize = 30;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
  /** Unix permission bits; 0 when the archive was not made on a Unix. */
  readonly mode: number;
}

/** Unpacks `archive` into `directory`, with the execute bits and checked against its checksums. No ZIP64, no links. */
export async function unzip(archive: string, directory: string): Promise<void> {
  const file = await open(archive);
  try {
    for (const entry of await centralDirectory(file)) await extract(archive, file, entry, directory);
  } finally {
    await file.close();
  }
}

async function centralDirectory(file: FileHandle): Promise<readonly Entry[]> {
  const { size } = await file.stat();
  // A comment of up to 64 KiB may follow the end record.
  const tail = await read(file, Math.max(0, size - endSize - 0xffff), Math.min(size, endSize + 0xffff));
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || tail.readUInt32LE(end) !== endSignature)
    throw new Error("the file does not end as a zip archive does");
  const directory = await read(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries: Entry[] = [];
  for (let at = 0; at < directory.length;) {
    if (directory.readUInt32LE(at) !== entrySignature) throw new Error("the directory of the zip archive is damaged");
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      name: directory.toString("utf8", at + entrySize, at + entrySize + nameLength),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      mode: (directory.readUInt32LE(at + 38) >>> 16) & 0o777,
      offset: directory.readUInt32LE(at + 42),
    });
    at += entrySize + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function extract(archive: string, file: FileHandle, entry: Entry, directory: string): Promise<void> {
  const target = join(directory, normalize(entry.name));
  if (!target.startsWith(directory + sep)) throw new Error(`"${entry.name}" leads out of the directory`);
  if (entry.name.endsWith("/")) {
    await mkdir(target, { recursive: true });
    return;
  }
  if (entry.method !== 0 && entry.method !== 8)
    throw new Error(`"${entry.name}" is packed by method ${String(entry.method)}`);
  await mkdir(dirname(target), { recursive: true });

  // The local header has lengths of its own: its extra field often differs from the directory's.
  const local = await read(file, entry.offset, localSize);
  const start = entry.offset + localSize + local.readUInt16LE(26) + local.readUInt16LE(28);
  let sum = 0;
  let size = 0;
  const checked = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      sum = crc32(chunk, sum);
      size += chunk.length;
      yield chunk;
    }
  };
  const sink = createWriteStream(target, { flags: "wx", ...(entry.mode !== 0 && { mode: entry.mode }) });
  if (entry.compressed === 0) sink.end();
  else {
    const packed = createReadStream(archive, { start, end: start + entry.compressed - 1 });
    if (entry.method === 0) await pipeline(packed, checked, sink);
    else await pipeline(packed, createInflateRaw(), checked, sink);
  }
  if (sum !== entry.crc || size !== entry.size) throw new Error(`"${entry.name}" differs from its checksum`);
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new Error("the zip archive is cut short");
  return buffer;
}
