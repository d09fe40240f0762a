/** Bytes that can be read anywhere: one file, or volumes seen as one address space. Opened read-only, always. */
export interface RandomAccess extends AsyncDisposable {
  /** Bytes in all. */
  readonly size: number;
  /** What the user calls it: the path. */
  readonly name: string;
  /** Reads exactly `length` bytes. @throws Failure FILE_UNREADABLE, or BUNDLE_MALFORMED past the end */
  read(offset: number, length: number): Promise<Buffer>;
  /** Fills `bytes` without giving way to anybody else: for small stretches, where waiting costs more than reading. */
  fillNow?(bytes: Buffer, offset: number): void;
  /** Yields `length` bytes from `offset`; a chunk is valid until the next is asked for. */
  stream(offset: number, length: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Which part (volume) holds the byte at `offset`, for messages that name it. */
  partAt(offset: number): string;
}

/** A file, or volumes, whose size is known before the first byte: written anywhere, in any order. */
export interface RandomWriter {
  readonly size: number;
  /** Writes all of `chunks`, one after another, from `offset`. */
  write(offset: number, chunks: readonly Uint8Array[]): Promise<void>;
  /** After this returns, what was written survives a power cut. */
  flush(): Promise<void>;
}
