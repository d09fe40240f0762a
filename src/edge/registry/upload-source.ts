import { verified } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";

/** Bytes of one write to a socket. */
const maxChunk = 1024 * 1024;
/** A socket that takes at least its own buffer's worth has sent it when it asks for more; less may still wait in it. */
const ownedBelow = 128 * 1024;

export interface UploadSourceOptions {
  readonly open: (offset: number) => AsyncIterable<Uint8Array>;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** One try at sending a blob: handed out in parts, read once. */
export interface UploadBody {
  /** The next `size` bytes. The blob's last byte is held back until all of it is verified, so nothing bad is complete. */
  part(size: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** The content of one upload, over all its tries. */
export class UploadSource {
  readonly #want: Descriptor;
  readonly #options: UploadSourceOptions;
  #error: Error | undefined;
  /** How many bytes the try that came farthest has sent: what is sent again is no progress. */
  #farthest = 0;

  constructor(want: Descriptor, options: UploadSourceOptions) {
    this.#want = want;
    this.#options = options;
  }

  /** Whether reading failed, rather than sending. */
  get failed(): boolean {
    return this.#error !== undefined;
  }

  get error(): Error {
    return this.#error ?? new Error("the source did not fail");
  }

  begin(): UploadBody {
    const chunks = this.#chunks();
    let rest: Uint8Array | undefined;
    const part = async function* (size: number): AsyncGenerator<Uint8Array, void, undefined> {
      let left = size;
      while (left > 0) {
        const next: IteratorResult<Uint8Array, void> = rest === undefined ? await chunks.next() : { value: rest };
        rest = undefined;
        if (next.done === true) return;
        const chunk = next.value;
        const now = Math.min(left, chunk.byteLength, maxChunk);
        if (now < chunk.byteLength) rest = chunk.subarray(now);
        left -= now;
        yield now < ownedBelow ? Uint8Array.from(chunk.subarray(0, now)) : chunk.subarray(0, now);
      }
    };
    return {
      part,
      close: async () => {
        await chunks.return().catch(() => undefined);
      },
    };
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { size } = this.#want;
    let sent = 0;
    let last: Uint8Array | undefined;
    try {
      for await (const chunk of verified(this.#options.open(0), this.#want, "bundle")) {
        if (chunk.byteLength === 0) continue;
        sent += chunk.byteLength;
        this.#progress(sent);
        if (sent < size) yield chunk;
        else {
          last = Uint8Array.from(chunk.subarray(-1));
          if (chunk.byteLength > 1) yield chunk.subarray(0, -1);
        }
      }
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
    if (last !== undefined) yield last;
  }

  #progress(sent: number): void {
    if (sent <= this.#farthest) return;
    this.#options.onBytes?.(sent - this.#farthest);
    this.#farthest = sent;
  }
}
