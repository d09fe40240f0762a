import { gzipSync } from "node:zlib";
import type { Descriptor } from "../../src/model/descriptor.ts";
import { digestOf, type Digest } from "../../src/model/digest.ts";
import { MediaType } from "../../src/model/media-type.ts";
import type { Platform } from "../../src/model/platform.ts";
import { aBlob as aBlobOf, aParent, type Graph } from "./builders/graph.ts";
import { aTar } from "./builders/tar.ts";

export { flipped } from "./builders/damage.ts";
export { aParent, aStore } from "./builders/graph.ts";
export { aWasmPlugin, type PluginLayout } from "./builders/plugins.ts";
export { aTar } from "./builders/tar.ts";

/** What the tests of the product's inner layers build from: the same graphs, with images whose layers are files. */
export type Seed = Graph;

export function aBlob(content: string | Uint8Array, mediaType = "application/octet-stream"): Seed {
  return aBlobOf(content, mediaType);
}

export interface ImageOptions extends Partial<Platform> {
  /** Files of each layer. */
  readonly layers?: readonly Readonly<Record<string, string | Uint8Array>>[];
  /** Docker's media types instead of OCI's. */
  readonly docker?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
}

/** An image that a runtime would take: its config names the uncompressed digest of each layer. */
export function anImage(options: ImageOptions = {}): Seed {
  const {
    layers = [{ "etc/motd": "hello\n" }],
    os = "linux",
    architecture = "amd64",
    variant,
    docker = false,
  } = options;
  const tars = layers.map((files) => aTar(files));
  const rootfs = { type: "layers", diff_ids: tars.map(digestOf) };
  const config = aBlob(
    JSON.stringify({ os, architecture, ...(variant !== undefined && { variant }), config: {}, rootfs, history: [] }),
    docker ? MediaType.dockerConfig : MediaType.ociConfig,
  );
  const zipped = tars.map((tar) => aBlob(gzipSync(tar), docker ? MediaType.dockerLayerGzip : MediaType.ociLayerGzip));
  const { annotations, subject } = options;
  const made = aParent(docker ? MediaType.dockerManifest : MediaType.ociManifest, [config, ...zipped], (c, ...l) => ({
    config: c,
    layers: l,
    ...(subject !== undefined && { subject }),
    ...(annotations !== undefined && { annotations }),
  }));
  const platform: Platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
  return { ...made, root: { ...made.root, platform } };
}

export function anIndex(
  manifests: readonly Seed[] = [anImage(), anImage({ architecture: "arm64" })],
  mediaType: string = MediaType.ociIndex,
  more: object = {},
): Seed {
  return aParent(mediaType, manifests, (...children) => ({ manifests: children, ...more }));
}

/** The eight bytes that every module starts with, and then whatever tells two of them apart. */
export function aModule(marker = ""): Buffer {
  return Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), Buffer.from(marker)]);
}

export function without(seed: Seed, digest: Digest): Seed {
  return { ...seed, blobs: new Map([...seed.blobs].filter(([each]) => each !== digest)) };
}
