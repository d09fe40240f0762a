import { readGraph } from "../../content/graph.ts";
import { MemoryStore } from "../../content/memory.ts";
import { overlay } from "../../content/overlay.ts";
import type { Fetcher } from "../../content/store.ts";
import { readSmall } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { LockItem } from "../../model/lock.ts";
import { parseManifest, type ImageManifest } from "../../model/manifest.ts";
import { platformOfConfig, printPlatform } from "../../model/platform.ts";
import { pointer, printReference, type Reference } from "../../model/reference.ts";
import { missingPlatforms, pruneIndex } from "./platforms.ts";
import type { Resolved, ResolveContext, SourceRepository } from "./ports.ts";

export interface ImageRequest {
  readonly reference: Reference;
  readonly role: string;
  /** Resolve this digest instead of the tag: a lock is being reproduced. */
  readonly pinned?: string | undefined;
}

/** Tag to digest, to the chosen platforms, to everything below. */
export async function resolveImage(
  request: ImageRequest,
  source: SourceRepository,
  context: ResolveContext,
): Promise<Resolved> {
  const reference = printReference(request.reference);
  const found = await source.resolve(request.pinned ?? pointer(request.reference), context.signal);
  const manifest = parseManifest(found.bytes, found.descriptor.mediaType);
  const made = new MemoryStore();
  const content = overlay(made, source);
  const chosen =
    manifest.kind === "index"
      ? pruneIndex(reference, manifest, found.bytes, found.descriptor, context)
      : { ...found, changed: false, ...(await singlePlatform(reference, { manifest, content, made }, context)) };
  made.put(chosen.descriptor.digest, chosen.bytes);
  const graph = await readGraph(content, bare(chosen.descriptor), "source", context.signal);
  const item: LockItem = {
    kind: "image",
    name: request.reference.repository,
    reference,
    root: bare(chosen.descriptor),
    bytes: graphBytes(graph),
    platforms: chosen.kept.map(printPlatform),
    role: request.role,
    aliases: [],
    ...(chosen.changed ? { derived: { from: bare(found.descriptor), how: "platforms" as const } } : {}),
  };
  return { item, graph, content, findings: chosen.findings };
}

interface Single {
  readonly manifest: ImageManifest;
  readonly content: Fetcher;
  readonly made: MemoryStore;
}

/** An image without an index: its config says which platform it is for, or nothing does. It is kept: packing must not ask for it again. */
async function singlePlatform(reference: string, { manifest, content, made }: Single, context: ResolveContext) {
  const bytes = await readSmall(content, manifest.config, "source", undefined, context.signal);
  made.put(manifest.config.digest, bytes);
  const platform = platformOfConfig(bytes);
  const kept = platform === undefined ? [] : [platform];
  return { kept, findings: missingPlatforms(reference, kept, kept.map(printPlatform), context) };
}

/** A root stands for itself: platform and annotations belong to where it was named. */
export function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

export function graphBytes(graph: Resolved["graph"]): number {
  return [...graph.manifests.map(({ descriptor }) => descriptor), ...graph.blobs].reduce(
    (sum, { size }) => sum + size,
    0,
  );
}
