import { createCipheriv, createHash } from "node:crypto";
import type { LargeFile } from "../../src/stages/bundle/ports.ts";

/** Bytes that do not repeat, the same for the same name: large enough to span volumes and batches. */
export function someBytes(name: string, size: number): Buffer {
  const key = createHash("sha256").update(name).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export interface LargeOptions {
  /** Bytes per chunk. */
  readonly piece?: number;
  /** Waited for before each chunk. */
  readonly pause?: () => Promise<void>;
  /** Called with what is opened where. */
  readonly onOpen?: (name: string, offset: number) => void;
}

export function aLargeFile(name: string, size: number, options: LargeOptions = {}): LargeFile {
  const { piece = 64 * 1024, pause = () => Promise.resolve(), onOpen = () => undefined } = options;
  const bytes = someBytes(name, size);
  return {
    name,
    size,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    async *open(offset) {
      onOpen(name, offset);
      for (let at = offset; at < size; at += piece) {
        await pause();
        yield bytes.subarray(at, at + piece);
      }
    },
  };
}
