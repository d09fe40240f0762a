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
