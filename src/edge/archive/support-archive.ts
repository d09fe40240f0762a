import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { TarArchive } from "archiver";
import { Failure } from "../../model/failure.ts";
import { plainName } from "../../model/names.ts";
import { redact } from "../../model/sanitize.ts";
import { writeBeside } from "../disk/claim.ts";
import { openStream, whereToWrite } from "../files/replace.ts";
import { abandon } from "./tar-file.ts";

export interface SupportFile {
  readonly name: string;
  readonly text: string;
}

const fileBytes = 16 * 1024 ** 2;
const epoch = new Date(0);

/**
 * Writes what was collected as one tar for whoever helps: redacted once more, in the order of names and without times,
 * so that equal evidence is an equal file. A failed one leaves nothing behind.
 * @throws Failure FILE_UNWRITABLE, FILE_BUSY
 */
export async function writeSupportArchive(
  path: string,
  files: readonly SupportFile[],
  signal?: AbortSignal,
): Promise<void> {
  try {
    const place = await whereToWrite(path);
    if (place === "stream") await writeTar((await openStream(path)).createWriteStream(), files, signal);
    else {
      const partial = `${place}.partial`;
      const beside = { flags: "wx", mode: 0o600, flush: true };
      await writeBeside(place, partial, () => writeTar(createWriteStream(partial, beside), files, signal));
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Failure) throw error;
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw new Failure("FILE_UNWRITABLE", { path, reason }, { cause: error });
  }
}

async function writeTar(
  out: WriteStream,
  files: readonly SupportFile[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const archive = new TarArchive();
  // pipe, not pipeline: that one hangs or kills the process when either side fails (docs/facts/node.md#archiver).
  archive.pipe(out);
  const broken = new Promise<never>((_, reject) => {
    archive.once("error", reject);
    out.once("error", reject);
  });
  broken.catch(() => undefined);
  try {
    for (const { name, text } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      signal?.throwIfAborted();
      await Promise.race([appended(archive, safeName(name), redact(text).slice(-fileBytes)), broken]);
    }
    archive.finalize().catch(() => undefined);
    await Promise.race([finished(out), broken]);
  } catch (error) {
    out.on("error", () => undefined);
    await abandon(archive, out);
    throw error;
  }
}

/** One at a time: append has no back pressure. */
function appended(archive: TarArchive, name: string, text: string): Promise<void> {
  return new Promise((resolve) => {
    archive.once("entry", () => {
      resolve();
    });
    archive.append(Buffer.from(text), { name, date: epoch, mode: 0o644 });
  });
}

/** Pod and container names come from the cluster; none of them leads out of the directory that somebody unpacks into. */
function safeName(name: string): string {
  const parts = name.split("/").map(plainName);
  return ["higress-airgap-support", ...parts.filter((part) => !/^\.{0,2}$/.test(part))].join("/");
}
