import type { Fetcher, Pusher, Tagger } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";

/** One repository of the target, as push needs it; the registry client's `Repository` fits. */
export interface TargetRepository extends Fetcher, Pusher, Tagger {
  /** The manifest behind a tag or digest, by HEAD; `undefined` when there is none. */
  head(pointer: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
  /** Links a blob of another repository; false when the registry does not, and an upload is the way. */
  mount(descriptor: Descriptor, from: string, signal?: AbortSignal): Promise<boolean>;
}

export interface PushTarget {
  repository(name: string): TargetRepository;
}

/** The bundle: a delta holds only some of the blobs that its items name. */
export interface PushSource extends Fetcher {
  hasBlob(digest: Digest): boolean;
}

/**
 * The digest behind a tag by a way that no pull policy blocks (Harbor's artifact API): a policy answers 412 to HEAD
 * right after a successful push.
 */
export type ArtifactDigest = (
  repository: string,
  tag: string,
  signal?: AbortSignal,
) => Promise<Digest | "hidden" | undefined>;
