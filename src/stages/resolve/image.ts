import { readGraph } from "../../content/graph.ts";
import { MemoryStore } from "../../content/memory.ts";
import { overlay } from "../../content/overlay.ts";
import type { Fetcher } from "../../content/store.ts";
import { readSmall } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { LockItem } from "../../model/lock.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { MediaType } from "../../model/media-type.ts";
import { parseManifest, type ImageManifest, type Manifest } from "../../model/manifest.ts";
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
  const manifest = rootManifest(reference, found);
  const made = new MemoryStore();
  const content = overlay(made, source);
  const chosen =
    manifest.kind === "index"
      ? await pruneIndex(reference, { ...found, manifest, content }, context)
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

/** Docker's first format, which came with other media types, or with none at all. */
const schema1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

/** @throws Failure IMAGE_UNUSABLE for what no node can run, MANIFEST_INVALID naming the image */
export function rootManifest(
  image: string,
  { bytes, descriptor: { mediaType } }: { readonly bytes: Uint8Array; readonly descriptor: Descriptor },
): Manifest {
  try {
    if (!schema1.test(mediaType)) return parseManifest(bytes, mediaType);
  } catch (error) {
    if (!isFailure(error, "MANIFEST_INVALID")) throw error;
    if (!/"schemaVersion"\s*:\s*1\b/.test(Buffer.from(bytes).toString("latin1"))) {
      const { what, why } = error.facts;
      throw new Failure("MANIFEST_INVALID", { what: `${image} (${what})`, why }, { cause: error });
    }
  }
  throw new Failure("IMAGE_UNUSABLE", { image, why: "schema 1" });
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
  if (platform === undefined && isArtifact(manifest) && context.allowMissing !== true)
    throw new Failure("IMAGE_UNUSABLE", { image: reference, why: "artifact" });
  const kept = platform === undefined ? [] : [platform];
  return { kept, findings: missingPlatforms(reference, kept, kept.map(printPlatform), context) };
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage */
function isArtifact({ artifactType, config }: ImageManifest): boolean {
  const ofImages: readonly string[] = [MediaType.ociConfig, MediaType.dockerConfig];
  return artifactType !== undefined || !ofImages.includes(config.mediaType);
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
