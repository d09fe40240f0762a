import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { volumeBlock } from "../../model/bundle.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import {
  DiskSource,
  isVolumeName,
  volumeName,
  withoutVolumeNumber,
  type OpenPart,
  type SummedBlock,
} from "./disk-source.ts";
import { readFailure } from "./errors.ts";
import { claimOf, refuseClaimed } from "./claim.ts";
import { findVolumes, type VolumeSet } from "./volumes-document.ts";

/**
 * Opens a bundle read-only: one file, or its volumes as one address space. Volumes are named by any of them, by their
 * `.volumes.json`, or by what stands before the number. Nothing is joined, nothing is written.
 * @throws Failure FILE_MISSING, FILE_UNREADABLE; FILE_BUSY for what is still being written; VOLUME_UNUSABLE for a volume that is missing or of another size
 */
export async function openSource(path: string): Promise<DiskSource> {
  if (path.endsWith(".partial")) await refuseClaimed(claimOf(withoutVolumeNumber(path.replace(/\.partial$/, ""))));
  const set = await findVolumes(path);
  if (set !== undefined) return openVolumes(set, path);
  if (!isVolumeName(path)) return new DiskSource(path, [await openPart(path, 0)]);
  return openUndocumented(withoutVolumeNumber(path));
}

async function openVolumes({ documentPath, document }: VolumeSet, path: string): Promise<DiskSource> {
  const parts: OpenPart[] = [];
  const blocks: SummedBlock[] = [];
  let offset = 0;
  try {
    for (const volume of document.volumes) {
      const part = await openVolume(join(dirname(documentPath), volume.name), volume, offset);
      parts.push(part);
      // One by one: a call takes only so many arguments, and a volume may have more blocks.
      for (const block of blocksOf(volume, offset)) blocks.push(block);
      offset += part.size;
    }
    return new DiskSource(path, parts, { blocks, bundle: document.bundle });
  } catch (error) {
    await Promise.all(parts.map(({ handle }) => handle.close()));
    throw error;
  }
}

type Volume = VolumeSet["document"]["volumes"][number];

async function openVolume(path: string, { name, size }: Volume, offset: number): Promise<OpenPart> {
  const part = await openPart(path, offset).catch((error: unknown) => {
    throw isFailure(error, "FILE_MISSING") ? new Failure("VOLUME_UNUSABLE", { volume: name, why: "ENOENT" }) : error;
  });
  if (part.size === size) return part;
  await part.handle.close();
  throw new Failure("VOLUME_UNUSABLE", { volume: name, why: `${part.size} B / ${size} B` });
}

function blocksOf({ name, size, blocks }: Volume, offset: number): readonly SummedBlock[] {
  return blocks.map((sha256, index) => {
    const at = index * volumeBlock;
    return { volume: name, at, offset: offset + at, size: Math.max(0, Math.min(volumeBlock, size - at)), sha256 };
  });
}

/** The document was left behind: the volumes in a row are the bundle, and its own headers say whether that is all. */
async function openUndocumented(base: string): Promise<DiskSource> {
  const parts: OpenPart[] = [];
  for (let offset = 0; ; offset = parts.reduce((sum, { size }) => sum + size, 0)) {
    const path = volumeName(base, parts.length);
    const part = await openPart(path, offset).catch(async (error: unknown) => {
      if (isFailure(error, "FILE_MISSING") && parts.length > 0) return undefined;
      await Promise.all(parts.map(({ handle }) => handle.close()));
      throw error;
    });
    if (part === undefined) return new DiskSource(base, parts);
    parts.push(part);
  }
}

export async function openPart(path: string, offset: number): Promise<OpenPart> {
  try {
    // Without O_NONBLOCK opening a FIFO waits for its writer, and no signal ends that.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (found.isFile()) return { path, offset, size: found.size, handle };
    await handle.close();
    // A block device too: Node cannot ask for its size, and a bundle that was copied onto one ends before it does.
    if (!found.isDirectory()) throw new Failure("FILE_KIND", { path });
  } catch (error) {
    throw readFailure(error, path);
  }
  throw new Failure("FILE_UNREADABLE", { path, reason: "EISDIR" });
}
