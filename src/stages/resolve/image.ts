import { manifestsCounted, maxGraphDepth, readGraph } from "../../content/graph.ts";
import type { DescribedContent, Fetcher } from "../../content/store.ts";
import { MemoryStore, overlay } from "../../content/memory.ts";
import { readSmall } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { digestOf } from "../../model/digest.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { LockItem } from "../../model/lock.ts";
import { parseManifest, type ImageManifest, type Manifest, type ImageIndex } from "../../model/manifest.ts";
import { MediaType, isManifest } from "../../model/media-type.ts";
import { platformOfConfig, printPlatform, platformMatches, type Platform } from "../../model/platform.ts";
import { pointer, printReference, type Reference } from "../../model/reference.ts";
import type { Resolved, ResolveContext, SourceRepository } from "./ports.ts";

export interface ImageRequest {
  readonly reference: Reference;
  readonly role: string;
  /** Resolve this digest instead of the tag: a lock is being reproduced, or the spec pins the tag. */
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
export function rootManifest(image: string, { bytes, descriptor: { mediaType } }: DescribedContent): Manifest {
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
  const bytes = await readSmall(content, manifest.config, "source", context.signal);
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

interface PrunedIndex extends DescribedContent {
  readonly kept: readonly Platform[];
  readonly changed: boolean;
  readonly findings: readonly Finding[];
}

interface FoundIndex extends DescribedContent {
  readonly manifest: ImageIndex;
  readonly content: Fetcher;
}

/**
 * Keeps the children of an index that were chosen. Harbor refuses an index with absent children, so the rest must go,
 * attestations of dropped children with them; when nothing has to go, the bytes and the digest stay as they are. Of an
 * index that has none of the chosen platforms, `allowMissing` keeps all that it has.
 * @throws Failure PLATFORM_MISSING unless `allowMissing`
 */
async function pruneIndex(reference: string, index: FoundIndex, context: ResolveContext): Promise<PrunedIndex> {
  const { bytes, descriptor, manifest, content } = index;
  const within = { reference, content, count: manifestsCounted(descriptor, "source"), signal: context.signal };
  const children = await Promise.all(
    manifest.manifests.map(async (child) => ({ child, platforms: await platformsOf(child, within, 1) })),
  );
  const isChosen = (platform: Platform): boolean =>
    context.platforms.some((wanted) => platformMatches(wanted, platform));
  const chosen = children.filter(({ platforms }) => platforms.some(isChosen));
  const has = children.flatMap(({ platforms }) => platforms);
  const platforms = chosen.flatMap((each) => each.platforms.filter(isChosen));
  const findings = missingPlatforms(reference, platforms, has.map(printPlatform), context);
  const whole = { descriptor, bytes, changed: false, findings };
  if (chosen.length === 0) return { ...whole, kept: has.filter(({ os }) => os !== "unknown") };
  if (chosen.length === children.length) return { ...whole, kept: platforms };
  const digests = new Set<string>(chosen.map(({ child }) => child.digest));
  const document = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests: { digest: string }[] };
  const pruned = Buffer.from(
    JSON.stringify({ ...document, manifests: document.manifests.filter((child) => digests.has(child.digest)) }),
  );
  return {
    descriptor: { mediaType: descriptor.mediaType, digest: digestOf(pruned), size: pruned.byteLength },
    bytes: pruned,
    kept: platforms,
    changed: true,
    findings,
  };
}

interface Within {
  readonly reference: string;
  readonly content: Fetcher;
  readonly count: ReturnType<typeof manifestsCounted>;
  readonly signal?: AbortSignal | undefined;
}

/** Where an index does not say which platform a child is for, the child's own config does, or the children of that. */
async function platformsOf(child: Descriptor, within: Within, depth: number): Promise<readonly Platform[]> {
  if (child.platform !== undefined) return [child.platform];
  if (!isManifest(child.mediaType)) return [];
  const { reference, content, count, signal } = within;
  if (depth > maxGraphDepth) throw new Failure("IMAGE_UNUSABLE", { image: reference, why: "index in index" });
  const read = (descriptor: Descriptor): Promise<Uint8Array> => {
    count(descriptor);
    return readSmall(content, descriptor, "source", signal);
  };
  const manifest: Manifest = parseManifest(await read(child), child.mediaType);
  if (manifest.kind === "image") {
    const platform = platformOfConfig(await read(manifest.config));
    return platform === undefined ? [] : [platform];
  }
  const below = await Promise.all(manifest.manifests.map((each) => platformsOf(each, within, depth + 1)));
  return below.flat();
}

/** One finding for each chosen platform that `has` lacks. @throws Failure PLATFORM_MISSING unless `allowMissing` */
function missingPlatforms(
  reference: string,
  kept: readonly Platform[],
  has: readonly string[],
  { platforms, allowMissing }: ResolveContext,
): readonly Finding[] {
  const missing = platforms
    .filter((platform) => !kept.some((one) => platformMatches(platform, one)))
    .map(printPlatform);
  if (missing.length === 0) return [];
  const facts = { platform: missing.join(" "), has: [...new Set(has)].join(" ") };
  if (allowMissing !== true) throw new Failure("PLATFORM_MISSING", { reference, ...facts });
  return [finding("warning", "bundle.platform-missing", { item: reference, ...facts })];
}
