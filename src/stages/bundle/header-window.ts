import type { RandomAccess } from "../../content/random-access.ts";

/** One page: headers of small entries stand close together, those of large ones far apart. */
const windowSize = 4096;

/** Reads small stretches in ascending order, several out of one read where they are close. */
export class HeaderWindow {
  readonly #source: RandomAccess;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(source: RandomAccess) {
    this.#source = source;
  }

  /** `length` is at most a few blocks. The caller has held both numbers against the size. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < this.#at || offset + length > this.#at + this.#bytes.byteLength) {
      const wanted = Math.min(Math.max(length, windowSize), this.#source.size - offset);
      this.#bytes = await this.#source.read(offset, wanted);
      this.#at = offset;
    }
    return this.#bytes.subarray(offset - this.#at, offset - this.#at + length);
  }
}
