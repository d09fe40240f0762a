import type { Bundle } from "../../content/open-bundle.ts";
import type { Extent } from "../../content/store.ts";

/** What verify asks of a bundle that is open. */
export type VerifiedBundle = Pick<Bundle, "source" | "document" | "id" | "entries" | "sums" | "readFile" | "fetch">;

/** A stretch whose sha256 the volumes' own document has: a few MiB, small enough to say where on the stick. */
export interface Block extends Extent {
  readonly volume: string;
  /** Where the block begins in its volume. */
  readonly at: number;
  readonly sha256: string;
}

export interface VerifyPorts {
  /** sha256 hex of each range, or an error's code where it cannot be read. */
  hashRanges(ranges: readonly Extent[], onBytes: (bytes: number) => void): Promise<readonly string[]>;
  /** Blocks of the volumes, in file order; none when the bundle is one file. */
  readonly blocks?: readonly Block[] | undefined;
}
