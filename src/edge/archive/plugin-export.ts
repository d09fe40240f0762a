import { createHash } from "node:crypto";
import { createReadStream, type Stats } from "node:fs";
import { chmod, copyFile, link, lstat, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { PluginFile } from "../../content/plugin-tree.ts";
import { verified } from "../../content/verified.ts";
import { digestFrom, hexOf, type Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { writeBeside } from "../disk/claim.ts";
import { writeFailure } from "../disk/errors.ts";
import { makeFolders } from "../disk/make-folders.ts";

export interface PluginExport {
  readonly written: number;
  /** Was there already, byte for byte. */
  readonly present: number;
}

const path = /^(?:[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}\/){0,3}[A-Za-z0-9_][A-Za-z0-9._+-]{0,139}$/;

/**
 * Writes the tree for an nginx, a container mount or any other file server. Each file appears whole or not at all;
 * what is there and right is left alone, so an interrupted export goes on. Equal modules share their disk space.
 * @throws Failure FILE_UNWRITABLE, DISK_FULL, CONTENT_MISMATCH
 */
export async function exportPluginTree(
  tree: ReadonlyMap<string, PluginFile>,
  directory: string,
  signal?: AbortSignal,
): Promise<PluginExport> {
  const count = { written: 0, present: 0 };
  const homes = new Map<string, string>();
  for (const file of tree.values()) {
    signal?.throwIfAborted();
    if (!path.test(file.path)) throw new Failure("FILE_UNWRITABLE", { path: file.path, reason: "name" });
    const target = resolve(directory, file.path);
    try {
      if (await holds(target, file)) count.present += 1;
      else {
        await put(file, target, homes.get(file.sha256), signal);
        count.written += 1;
      }
    } catch (error) {
      throw writeFailure(error, target, file.size);
    }
    if (file.path.endsWith(".wasm") && !homes.has(file.sha256)) homes.set(file.sha256, target);
  }
  return count;
}

async function holds(target: string, file: PluginFile): Promise<boolean> {
  const found = await lstat(target).catch((error: unknown) => absent(error));
  if (found?.isFile() !== true || found.size !== file.size) return false;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(target, { highWaterMark: 1024 ** 2 })) hash.update(chunk as Buffer);
  return hexOf(digestFrom(hash)) === file.sha256;
}

function absent(error: unknown): Stats | undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}

async function put(file: PluginFile, target: string, same: string | undefined, signal?: AbortSignal): Promise<void> {
  const part = `${target}.part`;
  await makeReadable(dirname(target));
  await writeBeside(target, part, async () => {
    if (same === undefined) await write(file, part, signal);
    // FAT and some network file systems have no hard links.
    else await link(same, part).catch(() => copyFile(same, part));
  });
}

/** A server runs as somebody else, and hardened hosts have a umask of 077: what is made here is for everyone to read. */
async function makeReadable(directory: string): Promise<void> {
  const first = await makeFolders(directory);
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}

async function write(file: PluginFile, part: string, signal: AbortSignal | undefined): Promise<void> {
  const want = { mediaType: "", digest: `sha256:${file.sha256}` as Digest, size: file.size };
  const handle = await open(part, "wx", 0o644);
  try {
    for await (const chunk of verified(file.open(0, signal), want, "bundle")) await handle.writeFile(chunk);
    await handle.chmod(0o644);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
