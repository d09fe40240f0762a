import { open } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";

/**
 * A small file as text; `undefined` when there is none. Read through one handle and never past `limit`: a path may
 * name a device that has no end.
 * @throws Failure CREDENTIALS_UNUSABLE
 */
export async function readBounded(path: string, limit: number): Promise<string | undefined> {
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(limit + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, size, buffer.byteLength - size);
      size += bytesRead;
      if (bytesRead === 0 || size > limit) break;
    }
    if (size > limit) throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: `more than ${limit} B` });
    return buffer.toString("utf8", 0, size);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? "?";
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: code }, { cause });
  }
}
