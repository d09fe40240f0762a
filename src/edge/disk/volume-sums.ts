import { createHash } from "node:crypto";
import { basename } from "node:path";
import { volumeBlock, type VolumesDocument } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import type { DiskSource, OpenPart } from "./disk-source.ts";
import { hashWithBlocks, type Hashed } from "./hash-ranges.ts";
import { piecesOf } from "./parts.ts";

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
