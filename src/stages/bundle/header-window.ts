import type { RandomAccess } from "../../content/random-access.ts";

/** One page: headers of small entries stand close together, those of large ones far apart. */
const windowSize = 4096;

/** So many reads go without giving way; then one gives way, so that a slow stick can be interrupted. */
const readsAtOnce = 64;

/** Reads small stretches in ascending order, several out of one read where they are close. */
export class HeaderWindow {
  readonly #source: RandomAccess;
  readonly #buffer = Buffer.alloc(windowSize);
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #reads = 0;

  constructor(source: RandomAccess) {
    this.#source = source;
  }

  /**
   * A promise only where it gives way: most calls need none. `length` is at most a few blocks; what is returned is valid until the next
   * read. Both numbers are within the size.
   */
  read(offset: number, length: number): Buffer | Promise<Buffer> {
    if (offset >= this.#at && offset + length <= this.#at + this.#bytes.length) return this.#slice(offset, length);
    const wanted = Math.min(windowSize, this.#source.size - offset);
    this.#reads += 1;
    if (this.#source.fillNow === undefined || this.#reads % readsAtOnce === 0)
      return this.#source.read(offset, wanted).then((bytes) => this.#keep(bytes, offset).#slice(offset, length));
    const bytes = wanted === windowSize ? this.#buffer : this.#buffer.subarray(0, wanted);
    this.#source.fillNow(bytes, offset);
    return this.#keep(bytes, offset).#slice(offset, length);
  }

  #keep(bytes: Buffer, offset: number): this {
    this.#bytes = bytes;
    this.#at = offset;
    return this;
  }

  #slice(offset: number, length: number): Buffer {
    return this.#bytes.subarray(offset - this.#at, offset - this.#at + length);
  }
}
