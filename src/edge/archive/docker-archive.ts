import type { DescribedContent, Fetcher } from "../../content/store.ts";
import { readSmall, verified } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { hexOf } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { parseManifest, type ImageIndex, type ImageManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";
import { platformMatches, platformOfConfig, printPlatform, type Platform } from "../../model/platform.ts";
import { printReference, type Reference } from "../../model/reference.ts";
import { writeTarFile, type TarEntry } from "./tar-file.ts";

/** One image of an archive, and what it is called once it is loaded. */
export interface ArchivedImage {
  readonly image: PlatformImage;
  readonly names: readonly Reference[];
}

interface DockerArchiveOptions {
  readonly images: readonly ArchivedImage[];
  readonly content: Fetcher;
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Images for `docker load`, `podman load`, `nerdctl load`, `ctr images import` and the image folders of k3s and RKE2: the
 * archive that Docker itself has saved since 25.0, which is an OCI layout with Docker's manifest.json beside it. Layers
 * stay as they are, compressed, and each is there once however many images share it; every blob is verified on its way,
 * and the file appears only when all of them were right.
 * @returns its size
 * @throws Failure CONTENT_MISMATCH, DISK_FULL, FILE_UNWRITABLE
 */
export async function writeDockerArchive({ images, content, path, signal }: DockerArchiveOptions): Promise<number> {
  const manifests = new Map(
    images
      .flatMap(({ image, names }) => [image, ...names.map((name) => nodeFor(image, name))])
      .map((each) => [each.descriptor.digest, each]),
  );
  const blobs = new Map(
    images
      .flatMap(({ image: { manifest } }) => [manifest.config, ...manifest.layers])
      .map((blob) => [blob.digest, blob]),
  );
  const entries = [
    text("oci-layout", { imageLayoutVersion: "1.0.0" }),
    text("index.json", {
      schemaVersion: 2,
      mediaType: MediaType.ociIndex,
      manifests: images.flatMap(({ image, names }) => names.map((name) => named(image, name))),
    }),
    text("manifest.json", images.flatMap(dockerManifest)),
    ...[...manifests.values()].map((each) => bytesEntry(blobPath(each.descriptor), each.bytes)),
    ...[...blobs.values()].map((blob) => blobEntry(blob, content, signal)),
  ];
  await writeTarFile(path, entries, signal);
  return entries.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Behind a tag stands the manifest of the one platform, of which nothing is missing; who asks by digest must get what has
 * that digest, which may be the index above it.
 */
const nodeFor = (image: PlatformImage, { digest }: Reference): DescribedContent =>
  digest === undefined ? image : (image.above ?? image);

/** Docker writes the tag as ref.name; containerd reads the whole name from its own annotation. */
function named(image: PlatformImage, reference: Reference): object {
  const { mediaType, digest, size, platform } = nodeFor(image, reference).descriptor;
  const annotations = {
    "io.containerd.image.name": printReference(reference),
    ...(reference.tag !== undefined && { "org.opencontainers.image.ref.name": reference.tag }),
  };
  return { mediaType, digest, size, ...(platform !== undefined && { platform }), annotations };
}

/** Docker's own store knows no digests of manifests: what has no tag would be loaded without a name. */
function dockerManifest({ image: { manifest }, names }: ArchivedImage): readonly object[] {
  const tags = names.filter(({ digest }) => digest === undefined).map(printReference);
  const { config, layers } = manifest;
  return tags.length === 0
    ? []
    : [{ Config: blobPath(config), RepoTags: tags, Layers: layers.map((layer) => blobPath(layer)) }];
}

const blobPath = ({ digest }: Descriptor): string => `blobs/sha256/${hexOf(digest)}`;

function text(name: string, value: object): TarEntry {
  return bytesEntry(name, Buffer.from(JSON.stringify(value)));
}

function bytesEntry(name: string, bytes: Uint8Array): TarEntry {
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
interface PlatformImage extends DescribedContent {
  readonly manifest: ImageManifest;
  /** The index that it was chosen from. */
  readonly above?: DescribedContent | undefined;
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
export async function platformImage(options: PlatformImageOptions): Promise<PlatformImage> {
  const { manifest: top, ...root } = await readImage(options.root, options);
  if (top.kind === "image") return checked({ ...root, manifest: top }, options);
  const { manifest, ...image } = await readImage(childFor(top, options), options);
  if (manifest.kind !== "image") throw notAnImage(options, "index of indexes");
  return checked({ ...image, manifest, above: root }, options);
}

async function readImage(descriptor: Descriptor, { content, signal }: PlatformImageOptions) {
  const bytes = await readSmall(content, descriptor, "bundle", signal);
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
  const has = platformOfConfig(await readSmall(content, config, "bundle", signal));
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
