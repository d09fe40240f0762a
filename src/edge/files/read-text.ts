import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { Failure, isFailure } from "../../model/failure.ts";
import { systemClock } from "../../std/clock.ts";
import { decodeText, EncodingError } from "../../std/decode-text.ts";
import { errorCode, readFailure } from "../disk/errors.ts";

const chunkSize = 64 * 1024;

/** Of a pipe, in milliseconds: how often it is looked at, and how long until somebody has opened its other end. */
export const otherEnd = { look: 20, patience: 2000 } as const;

/**
 * A whole file through one handle, never past `limit`: a path may name a device that has no end. A pipe is read while
 * somebody writes into it, as in `--values <(sops -d values.yaml)`.
 * @throws Failure FILE_MISSING, FILE_UNREADABLE; FILE_KIND for a pipe that nobody writes into
 */
export async function readBytes(path: string, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Without O_NONBLOCK opening a pipe waits for its writer, in a thread that no signal ends.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const isPipe = (await file.stat()).isFIFO();
    for (;;) {
      const { buffer, bytesRead } = await (isPipe && size === 0 ? firstOf(file, path) : readSome(file));
      if (bytesRead === 0) return Buffer.concat(chunks, size);
      size += bytesRead;
      if (size > limit) throw new Failure("FILE_UNREADABLE", { path, reason: `> ${limit} B` });
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    throw readFailure(error, path);
  }
}

/** As `readBytes`; `undefined` where there is no such file. */
export async function readBytesIfThere(path: string, limit: number): Promise<Buffer | undefined> {
  try {
    return await readBytes(path, limit);
  } catch (error) {
    if (isFailure(error, "FILE_MISSING")) return undefined;
    throw error;
  }
}

/** Waits until there is something, or nothing will come. */
async function readSome(file: FileHandle): Promise<{ readonly buffer: Buffer; readonly bytesRead: number }> {
  for (;;) {
    try {
      return await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize);
    } catch (error) {
      if (errorCode(error) !== "EAGAIN") throw error;
      await systemClock.sleep(otherEnd.look);
    }
  }
}

/** A pipe reads as ended until somebody has opened it to write; a shell may do that after it has started us. */
async function firstOf(file: FileHandle, path: string): ReturnType<typeof readSome> {
  for (const until = systemClock.now() + otherEnd.patience; systemClock.now() < until;) {
    const read = await readSome(file);
    if (read.bytesRead > 0) return read;
    await systemClock.sleep(otherEnd.look);
  }
  throw new Failure("FILE_KIND", { path });
}

/** As `readBytes`, as text; a byte order mark is dropped. @throws Failure FILE_ENCODING for what is neither UTF-8 nor marked UTF-16 */
export async function readText(path: string, limit: number): Promise<string> {
  return textOf(await readBytes(path, limit), path);
}

/** @throws Failure FILE_ENCODING */
function textOf(bytes: Uint8Array, path: string): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause;
    throw new Failure("FILE_ENCODING", { path, encoding: cause.encoding }, { cause });
  }
}
