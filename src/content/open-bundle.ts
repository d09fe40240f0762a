import type { BundleDocument } from "../model/bundle.ts";
import type { Digest } from "../model/digest.ts";
import type { Extent, Fetcher, RandomAccess } from "./store.ts";

/** A bundle that is open for reading. Blobs come unverified, as from every `Fetcher`; files come verified. */
export interface Bundle extends Fetcher, AsyncDisposable {
  readonly source: RandomAccess;
  readonly document: BundleDocument;
  /** sha256 of bundle.json. */
  readonly id: string;
  readonly entries: ReadonlyMap<string, Extent>;
  /** Entry name to sha256 hex, as SHA256SUMS has it. */
  readonly sums: ReadonlyMap<string, string>;
  /** A small file, checked against bundle.json. @throws Failure CONTENT_MISSING, CONTENT_MISMATCH */
  readFile(name: string): Promise<Buffer>;
  /** Any file, checked against SHA256SUMS before its last chunk is handed on. @throws Failure as `readFile` */
  openFile(name: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** `size` asks for the blob in that size, in bytes. */
  hasBlob(digest: Digest, size?: number): boolean;
  signature(): Promise<{ readonly sums: Buffer; readonly signature?: Buffer | undefined }>;
}
