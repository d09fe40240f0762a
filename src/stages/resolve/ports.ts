import type { Graph } from "../../content/graph.ts";
import type { DescribedContent, Fetcher, Resolver } from "../../content/store.ts";
import type { Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { ImageManifest } from "../../model/manifest.ts";
import type { Platform } from "../../model/platform.ts";

/** One repository of a source: names to bytes, and bytes. */
export type SourceRepository = Fetcher & Resolver;

/** An item with everything below it, and where its bytes come from. */
export interface Resolved {
  readonly item: LockItem;
  readonly graph: Graph;
  readonly content: Fetcher;
  readonly findings: readonly Finding[];
}

export interface ResolveContext {
  readonly platforms: readonly Platform[];
  /** Carry what there is when an image lacks a platform; a finding says so. */
  readonly allowMissing?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What replaces a plugin that the gateway would refuse: its manifest and the blobs that did not exist before. */
export interface Replacement {
  readonly manifest: DescribedContent;
  readonly blobs: readonly DescribedContent[];
}

/** A plugin as it was found at its source. */
export interface FoundPlugin {
  readonly name: string;
  readonly reference: string;
  /** What the reference resolved to. */
  readonly root: Descriptor;
  /** The image that a gateway would load: the root, or the child of an index. */
  readonly manifest: ImageManifest;
  readonly content: Fetcher;
  readonly gatewayMinVersion?: string | undefined;
}

/**
 * Holds a plugin against what the gateway will accept.
 * @returns a replacement when it would be refused and can be repacked; `findings` either way
 */
export type ExaminePlugin = (
  plugin: FoundPlugin,
) => Promise<{ readonly replacement?: Replacement | undefined; readonly findings: readonly Finding[] }>;
