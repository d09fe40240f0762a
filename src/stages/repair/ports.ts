import type { RandomAccess, RandomWriter } from "../../content/random-access.ts";
import type { BundleDocument } from "../../model/bundle.ts";

export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** What repair asks of a bundle that is open: the damaged one, and other copies. */
export interface OpenedBundle {
  readonly source: RandomAccess;
  readonly document: BundleDocument;
  readonly id: string;
  readonly entries: ReadonlyMap<string, Range>;
  readonly sums: ReadonlyMap<string, string>;
}

/** A new file. The damaged one is on somebody's medium, and is never written to. */
export interface RepairOutput {
  create(size: number, planId: string): Promise<OpenRepair>;
}

export interface OpenRepair extends Pick<RandomWriter, "write"> {
  commit(facts: { readonly bundle: string }): Promise<void>;
  abandon(): Promise<void>;
}
