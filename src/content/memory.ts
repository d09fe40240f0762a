import type { Descriptor } from "../model/descriptor.ts";
import type { Digest } from "../model/digest.ts";
import { Failure } from "../model/failure.ts";
import type { FetchOptions, Store, TransferOptions, Fetcher } from "./store.ts";
import { verified } from "./verified.ts";

/** The reference store: for manifests that are made rather than fetched, and for tests of everything that moves bytes. */
export class MemoryStore implements Store {
  readonly #blobs = new Map<Digest, Uint8Array>();

  get digests(): ReadonlySet<Digest> {
    return new Set(this.#blobs.keys());
  }

  has(descriptor: Descriptor): Promise<boolean> {
    return Promise.resolve(this.#blobs.has(descriptor.digest));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous; memory is not
  async *fetch(descriptor: Descriptor, options: FetchOptions = {}): AsyncGenerator<Uint8Array> {
    const bytes = this.#blobs.get(descriptor.digest);
    if (bytes === undefined) throw new Failure("CONTENT_MISSING", { what: descriptor.digest, where: "memory" });
    yield bytes.subarray(options.offset ?? 0);
  }

  async push(
    descriptor: Descriptor,
    open: (offset: number) => AsyncIterable<Uint8Array>,
    options: TransferOptions = {},
  ): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of verified(open(0), descriptor, "source")) {
      options.onBytes?.(chunk.byteLength);
      chunks.push(Uint8Array.from(chunk));
    }
    this.#blobs.set(descriptor.digest, Buffer.concat(chunks));
  }

  /** Adds bytes that were just made here. */
  put(digest: Digest, bytes: Uint8Array): void {
    this.#blobs.set(digest, bytes);
  }
}

/** What was made here (a rewritten index, a repacked plugin) over what the source has. */
export function overlay(made: MemoryStore, source: Fetcher): Fetcher {
  return {
    async *fetch(descriptor, options) {
      const from = (await made.has(descriptor)) ? made : source;
      yield* from.fetch(descriptor, options);
    },
  };
}
