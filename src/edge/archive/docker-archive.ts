import type { Graph } from "../../content/graph.ts";
import type { Fetcher } from "../../content/store.ts";
import { readSmall, verified } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { parseManifest, type ImageIndex, type ImageManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";
import { platformMatches, platformOfConfig, printPlatform, type Platform } from "../../model/platform.ts";
import { parseReference, printReference, type Reference } from "../../model/reference.ts";
import { writeTarFile, type TarEntry } from "./tar-file.ts";

interface DockerArchiveOptions {
  readonly image: Graph | Descriptor;
  readonly content: Fetcher;
  /** What the image is called once it is loaded; a digest in it is dropped, since `docker load` cannot keep one. */
  readonly reference: string;
  readonly platform: Platform;
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
}

interface DockerArchive {
  readonly path: string;
  readonly reference: string;
  /** Of the platform's manifest; containerd keeps it, Docker's own store does not. */
  readonly digest: Digest;
}

/**
 * One image for `docker load`, `podman load`, `nerdctl load` and `ctr images import`: the archive that Docker itself has
 * saved since 25.0, which is an OCI layout with Docker's manifest.json beside it. Layers stay as they are, compressed;
 * every blob is verified on its way, and the file appears only when all of them were right.
 * @throws Failure PLATFORM_MISSING, MANIFEST_INVALID, CONTENT_MISMATCH, DISK_FULL, FILE_UNWRITABLE
 */
export async function writeDockerArchive(options: DockerArchiveOptions): Promise<DockerArchive> {
  const { content, platform, path, signal } = options;
  const root = "root" in options.image ? options.image.root : options.image;
  const { registry, repository, tag } = parseReference(options.reference);
  const named: Reference = { registry, repository, tag: tag ?? "latest" };
  const reference = printReference(named);
  const image = await platformImage({ root, content, reference, platform, signal });
  const { config, layers } = image.manifest;
  const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
  const entries = [
    text("oci-layout", { imageLayoutVersion: "1.0.0" }),
    text("index.json", layoutIndex(image, named)),
    text("manifest.json", [
      { Config: blobPath(config), RepoTags: [reference], Layers: layers.map((layer) => blobPath(layer)) },
    ]),
    bytesEntry(blobPath(image.descriptor), image.bytes),
    ...[...blobs.values()].map((blob) => blobEntry(blob, content, signal)),
  ];
  await writeTarFile(path, entries, signal);
  return { path, reference, digest: image.descriptor.digest };
}

/** Docker writes the tag as ref.name; containerd reads the whole name from its own annotation. */
function layoutIndex({ descriptor }: PlatformImage, reference: Reference): object {
  const { mediaType, digest, size, platform } = descriptor;
  const annotations = {
    "io.containerd.image.name": printReference(reference),
    "org.opencontainers.image.ref.name": reference.tag,
  };
  const manifest = { mediaType, digest, size, ...(platform !== undefined && { platform }), annotations };
  return { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [manifest] };
}

const blobPath = ({ digest }: Descriptor): string => `blobs/sha256/${hexOf(digest)}`;

function text(name: string, value: object): TarEntry {
  return bytesEntry(name, Buffer.from(JSON.stringify(value)));
}

function bytesEntry(name: string, bytes: Buffer): TarEntry {
  // eslint-disable-next-line @typescript-eslint/require-await -- an entry is asynchronous; these bytes are here
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  return { name, size: bytes.length, open };
}

function blobEntry(blob: Descriptor, content: Fetcher, signal: AbortSignal | undefined): TarEntry {
  return {
    name: blobPath(blob),
    size: blob.size,
    open: () => verified(content.fetch(blob, { signal }), blob, "bundle"),
  };
}

/** One image that a runtime can run, with the exact bytes of its manifest. */
interface PlatformImage {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly manifest: ImageManifest;
}

interface PlatformImageOptions {
  readonly root: Descriptor;
  readonly content: Fetcher;
  /** For failures. */
  readonly reference: string;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The image for one platform below a root.
 * @throws Failure PLATFORM_MISSING; MANIFEST_INVALID for what is no container image
 */
async function platformImage(options: PlatformImageOptions): Promise<PlatformImage> {
  const { root } = options;
  const found = await readImage(root, options);
  if (found.manifest.kind === "image") return checked({ ...found, manifest: found.manifest }, options);
  const child = childFor(found.manifest, options);
  const image = await readImage(child, options);
  if (image.manifest.kind !== "image") throw notAnImage(options, "index of indexes");
  return checked({ ...image, manifest: image.manifest }, options);
}

async function readImage(descriptor: Descriptor, { content, signal }: PlatformImageOptions) {
  const bytes = await readSmall(content, descriptor, "bundle", undefined, signal);
  return { descriptor, bytes, manifest: parseManifest(bytes, descriptor.mediaType) };
}

function childFor({ manifests }: ImageIndex, { reference, platform }: PlatformImageOptions): Descriptor {
  const child = manifests.find((each) => each.platform !== undefined && platformMatches(platform, each.platform));
  if (child !== undefined) return child;
  const has = manifests.flatMap((each) => (each.platform === undefined ? [] : [printPlatform(each.platform)]));
  throw missing(reference, platform, has.join(", "));
}

/** An image that stands alone says its platform in its config only. */
async function checked(image: PlatformImage, options: PlatformImageOptions): Promise<PlatformImage> {
  const { content, reference, platform, signal } = options;
  const { config } = image.manifest;
  if (config.mediaType !== MediaType.ociConfig && config.mediaType !== MediaType.dockerConfig)
    throw notAnImage(options, `config ${config.mediaType}`);
  const has = platformOfConfig(await readSmall(content, config, "bundle", undefined, signal));
  if (has === undefined) throw notAnImage(options, "config without os and architecture");
  if (!platformMatches(platform, has)) throw missing(reference, platform, printPlatform(has));
  return image;
}

function missing(reference: string, platform: Platform, has: string): Failure {
  return new Failure("PLATFORM_MISSING", { reference, platform: printPlatform(platform), has }, { side: "bundle" });
}

function notAnImage({ reference }: PlatformImageOptions, why: string): Failure {
  return new Failure("MANIFEST_INVALID", { what: reference, why }, { side: "bundle" });
}
