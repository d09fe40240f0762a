import { createHash } from "node:crypto";

/** The sha256 of one stream, taken block by block. */
export interface StreamHash extends Disposable {
  /** Memory for blocks of up to 512 KiB; it is the hash's own again when that is disposed. */
  allocate(size: number): Buffer;
  /** `block` must stay as it is until this resolves. */
  update(block: Buffer): Promise<void> | undefined;
  /** Lower-case hex, after all blocks. */
  digest(): Promise<string>;
}

/** Where streams are hashed: here, or by threads while this one receives. `size` is that of the whole stream. */
export type StartHash = (size: number) => StreamHash;

/** On this thread, before `update` returns. */
export const hashInline: StartHash = () => {
  const hash = createHash("sha256");
  return {
    allocate: (size) => Buffer.allocUnsafeSlow(size),
    update: (block) => void hash.update(block),
    digest: () => Promise.resolve(hash.digest("hex")),
    [Symbol.dispose]: () => undefined,
  };
};
