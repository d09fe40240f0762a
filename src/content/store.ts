import type { Descriptor } from "../model/descriptor.ts";

/** Bytes may be read from `offset` on, so that a cut transfer goes on where it stopped. */
export interface FetchOptions {
  readonly offset?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransferOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of bytes as they pass. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Where bytes come from. What is yielded is not yet verified: whoever consumes it does that (`verified`). A chunk
 * is valid until the next one is asked for, so a store may reuse its buffer.
 */
export interface Fetcher {
  fetch(descriptor: Descriptor, options?: FetchOptions): AsyncIterable<Uint8Array>;
}

export interface Existence {
  has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
}

/** Where bytes go. Pushing what is there already is success. A failed push leaves nothing behind. */
export interface Pusher extends Existence {
  /** `open` starts the content at an offset; it is called again when a transfer is resumed or retried. */
  push(
    descriptor: Descriptor,
    open: (offset: number) => AsyncIterable<Uint8Array>,
    options?: TransferOptions,
  ): Promise<void>;
}

export interface Tagger {
  tag(descriptor: Descriptor, content: Uint8Array, tag: string, signal?: AbortSignal): Promise<void>;
}

/** What is small enough to be in memory, a manifest or a config, with the exact bytes that its digest was made of. */
export interface DescribedContent {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface Resolver {
  /** Tag or digest to the manifest behind it. */
  resolve(pointer: string, signal?: AbortSignal): Promise<DescribedContent>;
}

export type Store = Fetcher & Pusher;

/** A stretch of a file, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly size: number;
}

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
