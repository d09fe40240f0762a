/** Memory of one size that is used again: what is left to the collector piles up faster than it comes by. */
export class BlockPool {
  readonly size: number;
  readonly #make: (size: number) => Buffer;
  readonly #free: Buffer[] = [];

  /** @param size bytes */
  constructor(size: number, make: (size: number) => Buffer) {
    this.size = size;
    this.#make = make;
  }

  take(): Buffer {
    return this.#free.pop() ?? this.#make(this.size);
  }

  /** `block` came from `take`, and nobody looks at it any more. */
  give(block: Buffer): void {
    this.#free.push(block);
  }
}
