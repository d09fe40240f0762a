import { createHash, type Hash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { contentMismatch } from "../../content/verified.ts";
import { digestFrom } from "../../model/digest.ts";
import type { Content } from "./answer.ts";
import type { ByteRange } from "./range.ts";

/** Nobody is there to answer any more; not a fault of what is served. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

export interface BodyOptions {
  readonly range: ByteRange;
  /** Writes the head; called once the first bytes are there, so that what cannot be read at all is a plain error. */
  readonly begin: () => void;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes a range of `content` into `response`. The whole of it is hashed on the way, and its last bytes are written
 * only if the digest is right: a client that counts to Content-Length has then got what it asked for, or a cut
 * connection. A part cannot be checked; whoever asked for one has the rest and the digest.
 * @throws Failure CONTENT_MISMATCH, whatever the source throws, or ClientGone
 */
export async function sendBody(response: ServerResponse, content: Content, options: BodyOptions): Promise<void> {
  const { range, signal } = options;
  const length = range.last - range.first + 1;
  const seal = length === content.size ? createHash("sha256") : undefined;
  let sent = 0;
  for await (const chunk of content.open(range.first, signal)) {
    if (chunk.byteLength === 0) continue;
    const part = seal === undefined ? chunk.subarray(0, length - sent) : chunk;
    const last = sent + part.byteLength >= length;
    if (last && seal !== undefined) assertIs(content, sent + part.byteLength, seal.update(part));
    if (sent === 0) options.begin();
    const written = write(response, part, signal);
    // While the kernel sends. The buffer is the source's again only after the write is through.
    if (!last) seal?.update(part);
    await written;
    options.onBytes(part.byteLength);
    sent += part.byteLength;
    if (last) return;
  }
  throw mismatch(content, { size: range.first + sent });
}

function assertIs(content: Content, size: number, seal: Hash): void {
  const digest = digestFrom(seal);
  if (size !== content.size || digest !== content.digest) throw mismatch(content, { size, digest });
}

function mismatch({ size, digest }: Content, got: Parameters<typeof contentMismatch>[1]): Error {
  return contentMismatch({ mediaType: "", digest, size }, got, "bundle");
}

/** Resolves when the bytes left this process; a client that is gone rejects it, for its callback may never come. */
function write(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(signal.reason as Error);
    if (signal.aborted) gone();
    signal.addEventListener("abort", gone, { once: true });
    response.write(bytes, (error) => {
      signal.removeEventListener("abort", gone);
      if (error instanceof Error) reject(new ClientGone("write failed", { cause: error }));
      else resolve();
    });
  });
}
