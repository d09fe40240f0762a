/** Takes bytes out of a stream in the portions that a format asks for, holding one chunk at a time. */
export class Puller {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #cutOff: () => Error;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Bytes taken since the part began. */
  #taken = 0;
  #parts = 0;

  /** `cutOff` makes the error for a stream that ends inside a portion. */
  constructor(source: AsyncIterable<Uint8Array>, cutOff: () => Error) {
    this.#source = source[Symbol.asyncIterator]();
    this.#cutOff = cutOff;
  }

  /** Up to `limit` bytes, without a copy: valid until the next call. `undefined` at the end. */
  async #some(limit: number): Promise<Uint8Array | undefined> {
    while (this.#chunk.byteLength === 0) {
      const next = await this.#source.next();
      if (next.done === true) return undefined;
      this.#chunk = next.value;
    }
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.byteLength);
    this.#taken += taken.byteLength;
    return taken;
  }

  /** A copy of the next `count` bytes; `undefined` when the stream ended exactly here. */
  async exactly(count: number): Promise<Buffer | undefined> {
    const whole = Buffer.allocUnsafe(count);
    for (let at = 0; at < count;) {
      const some = await this.#some(count - at);
      if (some === undefined) {
        if (at === 0) return undefined;
        throw this.#cutOff();
      }
      whole.set(some, at);
      at += some.byteLength;
    }
    return whole;
  }

  /** Begins a part of `count` bytes. Stopping early is fine: `skipPart` goes on from there. */
  part(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    this.#taken = 0;
    this.#parts += 1;
    return this.#part(count, this.#parts);
  }

  /** A part that is read after its time ends at once: it must not eat the bytes of the next. */
  async *#part(count: number, part: number): AsyncGenerator<Uint8Array, void, undefined> {
    while (part === this.#parts && this.#taken < count) {
      const some = await this.#some(count - this.#taken);
      if (some === undefined) throw this.#cutOff();
      yield some;
    }
  }

  /** Goes to `count` bytes after the beginning of the part, however much of it was read. */
  async skipPart(count: number): Promise<void> {
    while (this.#taken < count) if ((await this.#some(count - this.#taken)) === undefined) throw this.#cutOff();
  }

  /** To the end of the stream, so that whatever proves it at its end has spoken. */
  async drain(): Promise<void> {
    while ((await this.#some(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
