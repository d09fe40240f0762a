import { createWriteStream, type Stats, type WriteStream } from "node:fs";
import { once } from "node:events";
import { Readable } from "node:stream";
import { TarArchive } from "archiver";
import { writeFailure } from "../disk/errors.ts";
import { writeBeside } from "../disk/claim.ts";

/** A file in a tar; its size is known before it is opened, so nothing is ever held in memory. */
export interface TarEntry {
  readonly name: string;
  readonly size: number;
  /** Throws, before its end, when what it yields is not what was promised. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * Writes `path` whole or not at all: the same entries give the same bytes, and nobody sees a half-written file.
 * @throws Failure DISK_FULL, FILE_UNWRITABLE, FILE_BUSY; what an entry throws
 */
export async function writeTarFile(path: string, entries: readonly TarEntry[], signal?: AbortSignal): Promise<void> {
  const part = `${path}.part`;
  await writeBeside(path, part, () => writePart(part, entries, signal)).catch((error: unknown) => {
    throw writeFailure(error, path, total(entries));
  });
}

async function writePart(part: string, entries: readonly TarEntry[], signal: AbortSignal | undefined): Promise<void> {
  const file = createWriteStream(part, { flags: "wx", flush: true, highWaterMark: 1024 ** 2 });
  const archive = new TarArchive();
  const broken = new Promise<never>((_, reject) => {
    archive.on("error", reject);
    file.on("error", reject);
  });
  broken.catch(() => undefined);
  // `pipeline` would destroy the archive when the file fails, and archiver then throws where nobody can catch it.
  archive.pipe(file);
  const stop = new AbortController();
  try {
    for (const entry of entries) {
      signal?.throwIfAborted();
      await Promise.race([broken, append(archive, entry, stop.signal)]);
    }
    archive.finalize().catch(() => undefined);
    await Promise.race([broken, once(file, "close")]);
  } catch (error) {
    stop.abort();
    await abandon(archive, file);
    throw error;
  }
}

/** One entry at a time: archiver queues without bound, and an error of a later entry would be lost. */
function append(archive: TarArchive, entry: TarEntry, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const source = Readable.from(guarded(entry, reject), { objectMode: false, highWaterMark: 1024 ** 2 });
    stop.addEventListener("abort", () => source.destroy(), { once: true });
    archive.once("entry", () => resolve());
    // Without `stats` archiver collects a stream in memory to learn its size; of `stats` it reads nothing but this.
    const stats: unknown = { size: entry.size };
    archive.append(source, { name: entry.name, date: new Date(0), mode: 0o644, stats: stats as Stats });
  });
}

/**
 * Copies each chunk, which was only lent. On failure it stops without an end or an error: archiver hangs on the one
 * and crashes the process on the other.
 */
async function* guarded(entry: TarEntry, fail: (error: unknown) => void): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    for await (const chunk of entry.open()) {
      size += chunk.byteLength;
      if (size > entry.size) throw new RangeError(`${entry.name}: more than ${entry.size} B`);
      yield Buffer.from(chunk);
    }
    if (size < entry.size) throw new RangeError(`${entry.name}: ${size} of ${entry.size} B`);
  } catch (error) {
    fail(error);
    await new Promise(() => undefined);
  }
}

/**
 * Ends a tar that failed, and resolves when its file is closed: one that is still being opened would appear after it was
 * removed. Neither `abort` nor `destroy`: with nothing queued archiver throws in the one, and always in the other.
 */
export async function abandon(archive: TarArchive, file: WriteStream): Promise<void> {
  archive.on("error", () => undefined);
  archive.unpipe(file);
  if (file.closed) return;
  const closed = once(file, "close").catch(() => undefined);
  file.destroy();
  await closed;
}

const total = (entries: readonly TarEntry[]): number => entries.reduce((sum, { size }) => sum + size, 0);
