import { createHash } from "node:crypto";
import { open, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { limits, volumeBlock, VolumesDocument } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { issueWords } from "../../model/list-of.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import { parseBounded } from "../../std/bounded-json.ts";
import { piecesOf, volumeName, withoutVolumeNumber, type DiskSource, type OpenPart } from "./disk-source.ts";
import { absent, readFailure } from "./errors.ts";
import { hashWithBlocks, type Hashed } from "./hash-ranges.ts";

/** `NAME.volumes.json` of `NAME.tar`. */
export function volumesPathOf(path: string): string {
  return `${path.replace(/\.tar$/, "")}.volumes.json`;
}

/** Volumes by what a user may name: `NAME.volumes.json`, `NAME.tar.001`, `NAME.tar` or `NAME`. */
export interface VolumeSet {
  /** The path that the volumes' numbers are put behind. */
  readonly base: string;
  readonly documentPath: string;
  readonly document: VolumesDocument;
}

/** `undefined` when `path` is one file, or nothing at all. @throws Failure VOLUME_UNUSABLE, FILE_* */
export async function findVolumes(path: string): Promise<VolumeSet | undefined> {
  const base = withoutVolumeNumber(path.replace(/\.volumes\.json$/, ""));
  if (base === path && (await isThere(path))) return undefined;
  const documentPath = volumesPathOf(base);
  const document = await readVolumes(documentPath);
  if (document === undefined) return undefined;
  // The document itself may have been named on the command line: then the volumes' names say what the tar is called.
  const first = withoutVolumeNumber(document.volumes[0]?.name ?? basename(base));
  return { base: join(dirname(documentPath), first), documentPath, document };
}

async function readVolumes(path: string): Promise<VolumesDocument | undefined> {
  const found = await stat(path).catch(absent(path));
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > limits.smallFile)
    throw new Failure("VOLUME_UNUSABLE", { volume: path, why: "size" });
  const bytes = await readFile(path).catch((error: unknown) => {
    throw readFailure(error, path);
  });
  const parsed = VolumesDocument.safeParse(parse(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `;
    throw new Failure("VOLUME_UNUSABLE", {
      volume: basename(path),
      why: issue === undefined || where === "" ? "JSON" : `${where}${issueWords(issue)}`,
    });
  }
  const why = contradiction(parsed.data, bytes);
  if (why !== undefined) throw new Failure("VOLUME_UNUSABLE", { volume: basename(path), why });
  return parsed.data;
}

/**
 * A sum in it that is wrong would be found when damage is looked for, and then point to the wrong place: so it is as it
 * was written, to the byte, or it is not used.
 */
function contradiction(document: VolumesDocument, bytes: Buffer): string | undefined {
  const { size, volumes, sum } = document;
  if (volumes.reduce((total, volume) => total + volume.size, 0) !== size)
    return `size: expected the sum of all volumes`;
  const first = withoutVolumeNumber(volumes[0]?.name ?? "");
  for (const [at, volume] of volumes.entries()) {
    const name = volumeName(first, at);
    if (volume.name !== name) return `volumes.${at}.name: expected ${name}`;
    const blocks = Math.ceil(volume.size / volumeBlock);
    if (volume.blocks.length !== blocks) return `volumes.${at}.blocks: expected ${blocks}`;
  }
  if (sum !== undefined && (sum !== sumOf(document) || canonicalJson(document) !== bytes.toString("utf8")))
    return "sum: expected the sum of this document";
  return undefined;
}

function sumOf(document: VolumesDocument): string {
  return createHash("sha256")
    .update(canonicalJson({ ...document, sum: undefined }))
    .digest("hex");
}

export async function writeVolumes(path: string, document: VolumesDocument): Promise<void> {
  await rm(path, { force: true });
  const handle = await open(path, "wx", 0o644);
  try {
    await handle.writeFile(canonicalJson({ ...document, sum: sumOf(document) }));
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return parseBounded(bytes);
  } catch {
    return undefined;
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(absent(path))) !== undefined;
}

/**
 * The sums of volumes while these are written. Bytes that come in file order are hashed from memory. Those that come in
 * any order are read back as soon as their volume is full, by a worker and out of the page cache, while the rest of the
 * bundle is still on its way.
 */
export class VolumeSums {
  readonly #source: DiskSource;
  readonly #inOrder: boolean;
  readonly #sums = new Map<OpenPart, Promise<Hashed>>();
  readonly #filled = new Map<OpenPart, number>();
  #running: Promise<unknown> = Promise.resolve();
  #at = 0;
  #whole = createHash("sha256");
  #block = createHash("sha256");
  #blocks: string[] = [];

  constructor(source: DiskSource, { inOrder }: { readonly inOrder: boolean }) {
    this.#source = source;
    this.#inOrder = inOrder;
  }

  /** Says that `bytes` are in the file now. Every byte is written at most once in a run. */
  wrote(offset: number, bytes: Uint8Array): void {
    if (this.#inOrder && offset === this.#at) this.#hash(bytes);
    if (this.#inOrder) return;
    for (const { part, length } of piecesOf(this.#source.parts, offset, bytes.byteLength)) {
      const filled = (this.#filled.get(part) ?? 0) + length;
      this.#filled.set(part, filled);
      if (filled === part.size) this.#readBack(part);
    }
  }

  /** What is not hashed yet is read: after an interruption, that is what the earlier run wrote. */
  async document(bundle: string): Promise<VolumesDocument> {
    for (const part of this.#source.parts) if (!this.#sums.has(part)) this.#readBack(part);
    const volumes = this.#source.parts.map(async (part) => {
      const { hex, blocks } = (await this.#sums.get(part)) ?? { hex: "", blocks: [] };
      // Where a sum should be stands the code of a read error: nothing may be written down on its word.
      if (hex.length !== 64) throw new Failure("FILE_UNREADABLE", { path: part.path, reason: hex });
      return { name: basename(part.path), size: part.size, sha256: hex, blocks: [...blocks] };
    });
    return { formatVersion: 1, bundle, size: this.#source.size, volumes: await Promise.all(volumes) };
  }

  /** Ends what is being read, before the files are closed. */
  async settle(): Promise<void> {
    await this.#running;
  }

  /** One volume at a time: the other processors are busy with what is arriving. */
  #readBack(part: OpenPart): void {
    const range = { offset: part.offset, size: part.size, block: volumeBlock };
    const hashed = this.#running.then(async () => {
      const [sums] = await hashWithBlocks(this.#source, [range], { workers: 1 });
      return sums ?? { hex: "", blocks: [] };
    });
    this.#sums.set(part, hashed);
    this.#running = hashed.catch(() => undefined);
  }

  #hash(bytes: Uint8Array): void {
    let taken = 0;
    for (const { part, at, length } of piecesOf(this.#source.parts, this.#at, bytes.byteLength)) {
      for (let done = 0; done < length;) {
        const left = volumeBlock - ((at + done) % volumeBlock);
        const chunk = bytes.subarray(taken, taken + Math.min(left, length - done));
        this.#whole.update(chunk);
        this.#block.update(chunk);
        done += chunk.byteLength;
        taken += chunk.byteLength;
        const end = at + done === part.size;
        if (end || (at + done) % volumeBlock === 0) this.#endBlock();
        if (end) this.#endVolume(part);
      }
    }
    this.#at += bytes.byteLength;
  }

  #endBlock(): void {
    this.#blocks.push(this.#block.digest("hex"));
    this.#block = createHash("sha256");
  }

  #endVolume(part: OpenPart): void {
    this.#sums.set(part, Promise.resolve({ hex: this.#whole.digest("hex"), blocks: this.#blocks }));
    this.#whole = createHash("sha256");
    this.#blocks = [];
  }
}
