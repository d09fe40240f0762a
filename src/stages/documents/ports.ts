import type { BundleDocument } from "../../model/bundle.ts";

/** What is asked of a bundle that is open. */
export interface OpenedBundle {
  readonly source: { readonly name: string };
  readonly document: BundleDocument;
  readonly entries: ReadonlyMap<string, { readonly size: number }>;
  /** Entry name to sha256 hex, as SHA256SUMS has it. */
  readonly sums: ReadonlyMap<string, string>;
  readFile(name: string): Promise<Uint8Array>;
}

/** Readers of what is no JSON. They throw a Failure that says where and why. */
export interface DocumentReaders {
  readChart(archive: Uint8Array, name: string): Promise<{ readonly name: string; readonly version: string }>;
  parseRelocation(text: string, file: string): unknown;
}
