/** Something is wrong inside the bytes of a module; `message` says what and where, in the words of the wasm spec. */
export class ModuleError extends Error {
  override readonly name = "ModuleError";
}

/** Reads the binary format (https://webassembly.github.io/spec/core/binary/) from a slice, and never past its end. */
export class Cursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.byteLength) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    const value = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (value === undefined) throw new ModuleError(`unexpected end at byte ${this.#at}`);
    this.#at += 1;
    return value;
  }

  skip(count: number): void {
    if (this.#end - this.#at < count) throw new ModuleError(`unexpected end at byte ${this.#at}`);
    this.#at += count;
  }

  /** Unsigned LEB128 of at most 64 bits; 32 is the bound of everything but memory64 limits. */
  unsigned(bits: 32 | 64 = 32): number {
    let value = 0;
    for (let shift = 0; shift < bits; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (bits === 32 && value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new ModuleError(`integer too long at byte ${this.#at}`);
  }

  /** A name, as UTF-8; names of imports and exports are short, so a long one is no module of this world. */
  name(limit = 1024): string {
    const length = this.unsigned();
    if (length > limit) throw new ModuleError(`name of ${length} bytes at byte ${this.#at}`);
    const from = this.#at;
    this.skip(length);
    return new TextDecoder().decode(this.#bytes.subarray(from, this.#at));
  }
}
