import type { RandomAccess } from "../../src/content/store.ts";
import type { BundleOutput, OpenOutput, Survived } from "../../src/stages/bundle/ports.ts";

/** Bytes in memory, with a count of what was read. */
export class MemorySource implements RandomAccess {
  readonly name = "memory.tar";
  readonly bytes: Buffer;
  bytesRead = 0;
  closed = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.byteLength;
  }

  read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new RangeError(`${offset}+${length}`);
    this.bytesRead += length;
    return Promise.resolve(Buffer.from(this.bytes.subarray(offset, offset + length)));
  }

  async *stream(offset: number, length: number): AsyncGenerator<Uint8Array> {
    yield await this.read(offset, length);
  }

  partAt(): string {
    return this.name;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** A disk that lives through interruptions of `pack`: what was journaled is there for the next call. */
export class MemoryOutput implements BundleOutput {
  bytes = Buffer.alloc(0);
  readonly order: OpenOutput["order"];
  readonly complete = new Set<string>();
  readonly partial = new Map<string, number>();
  plan = "";
  committed = false;
  bytesWritten = 0;
  /** Called before each write; what it throws is what the disk says. */
  onWrite: (offset: number, length: number) => void = () => undefined;

  constructor(order: OpenOutput["order"] = "any") {
    this.order = order;
  }

  finished(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  create(size: number, planId: string): Promise<OpenOutput> {
    if (this.plan !== planId) {
      this.bytes = Buffer.alloc(size, 0xee);
      this.complete.clear();
      this.partial.clear();
      this.plan = planId;
    }
    const survived: Survived = { complete: new Set(this.complete), partial: new Map(this.partial) };
    return Promise.resolve({
      size,
      order: this.order,
      survived,
      write: (offset, chunks) => this.#write(offset, chunks),
      read: (offset, length) => new MemorySource(this.bytes).stream(offset, length),
      wrote: (entry, bytes, complete) => {
        if (complete) this.complete.add(entry);
        else this.partial.set(entry, bytes);
      },
      forget: (entry) => void this.partial.delete(entry),
      flush: () => Promise.resolve(),
      commit: () => {
        this.committed = true;
        return Promise.resolve();
      },
      abandon: () => Promise.resolve(),
    });
  }

  async #write(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    // Bytes land later, as on a disk: a batch that is used again too early shows as damage.
    await new Promise((resolve) => setImmediate(resolve));
    const bytes = Buffer.concat(chunks);
    this.onWrite(offset, bytes.byteLength);
    this.bytes.set(bytes, offset);
    this.bytesWritten += bytes.byteLength;
  }
}
