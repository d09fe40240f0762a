import type { Fetcher } from "../../content/store.ts";
import { readSmall } from "../../content/verified.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure } from "../../model/failure.ts";
import { parseManifest, type ImageIndex, type ImageManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";
import { platformMatches, platformOfConfig, printPlatform, type Platform } from "../../model/platform.ts";

/** One image that a runtime can run, with the exact bytes of its manifest. */
export interface PlatformImage {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly manifest: ImageManifest;
}

export interface PlatformImageOptions {
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
