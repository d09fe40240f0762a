import { open } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";
import { decodeText, EncodingError } from "../../std/decode-text.ts";
import { readFailure } from "../disk/errors.ts";

const chunkSize = 64 * 1024;

/**
 * A whole file through one handle, never past `limit`: a path may name a device that has no end.
 * @throws Failure FILE_MISSING, FILE_UNREADABLE
 */
export async function readBytes(path: string, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    await using file = await open(path, "r");
    for (;;) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize);
      if (bytesRead === 0) return Buffer.concat(chunks, size);
      size += bytesRead;
      if (size > limit) throw new Failure("FILE_UNREADABLE", { path, reason: `> ${limit} B` });
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } catch (error) {
    throw readFailure(error, path);
  }
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
