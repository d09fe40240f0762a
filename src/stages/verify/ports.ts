import type { Fetcher } from "../../content/store.ts";
import type { BundleDocument } from "../../model/bundle.ts";

export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** What verify asks of a bundle that is open. */
export interface OpenedBundle extends Fetcher {
  readonly source: { readonly name: string; readonly size: number; partAt(offset: number): string };
  readonly document: BundleDocument;
  readonly id: string;
  readonly entries: ReadonlyMap<string, Range>;
  readonly sums: ReadonlyMap<string, string>;
  readFile(name: string): Promise<Uint8Array>;
}

/** A stretch whose sha256 the volumes' own document has: a few MiB, small enough to say where on the stick. */
export interface Block extends Range {
  readonly volume: string;
  /** Where the block begins in its volume. */
  readonly at: number;
  readonly sha256: string;
}

export interface VerifyPorts {
  /** sha256 hex of each range, or an error's code where it cannot be read. */
  hashRanges(ranges: readonly Range[], onBytes: (bytes: number) => void): Promise<readonly string[]>;
  /** Blocks of the volumes, in file order; none when the bundle is one file. */
  readonly blocks?: readonly Block[] | undefined;
}
