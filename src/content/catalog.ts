import type { Descriptor } from "../model/descriptor.ts";
import type { Digest } from "../model/digest.ts";
import type { Fetcher } from "./store.ts";

/** What a read-only registry serves: names and tags over content that a `Fetcher` holds. */
export interface Catalog {
  readonly content: Fetcher;
  /** Repository names, sorted: `/v2/_catalog`. */
  repositories(): readonly string[];
  /** Tags of a repository, sorted; `undefined` when there is no such repository. */
  tags(repository: string): readonly string[] | undefined;
  /** The manifest of a tag or digest. */
  manifest(repository: string, pointer: string): Descriptor | undefined;
  /** A blob that some manifest of this repository names. */
  blob(repository: string, digest: Digest): Descriptor | undefined;
  /** Manifests whose `subject` is this digest. */
  referrers(repository: string, digest: Digest): readonly Descriptor[];
}
