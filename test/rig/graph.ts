import { gzipSync } from "node:zlib";
import { Header } from "tar";
import { MemoryStore } from "../../src/content/memory.ts";
import type { Descriptor } from "../../src/model/descriptor.ts";
import { digestOf, type Digest } from "../../src/model/digest.ts";
import { MediaType } from "../../src/model/media-type.ts";
import type { Platform } from "../../src/model/platform.ts";

/** A root plus every blob reachable from it, keyed by digest; what `readGraph` reads from a store that holds it. */
export interface Seed {
  readonly root: Descriptor;
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

export function aBlob(content: string | Uint8Array, mediaType = "application/octet-stream"): Seed {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const root: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
  return { root, blobs: new Map([[root.digest, bytes]]) };
}

/** A document that names `children`, each described to `document` in their order. */
export function aParent(
  mediaType: string,
  children: readonly Seed[],
  document: (children: readonly Descriptor[]) => Readonly<Record<string, unknown>>,
): Seed {
  const text = JSON.stringify({ schemaVersion: 2, mediaType, ...document(children.map((child) => child.root)) });
  const self = aBlob(text, mediaType);
  return { root: self.root, blobs: new Map([...children.flatMap((child) => [...child.blobs]), ...self.blobs]) };
}

/** A tar as `tar c` makes it, with nothing in it that changes from run to run. */
export function aTar(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const entries = Object.entries(files).flatMap(([path, content]) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    new Header({ path, size: bytes.length, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), type: "File" }).encode(
      header,
    );
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...entries, Buffer.alloc(1024)]);
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
  const made = aParent(docker ? MediaType.dockerManifest : MediaType.ociManifest, [config, ...zipped], ([c, ...l]) => ({
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
): Seed {
  return aParent(mediaType, manifests, (children) => ({ manifests: children }));
}

/** The eight bytes that every module starts with, and then whatever tells two of them apart. */
export function aModule(marker = ""): Buffer {
  return Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), Buffer.from(marker)]);
}

/**
 * The layouts in which Wasm plugins are published: `oci` two layers, the module raw; `compat` and `docker` a last layer
 * `.tar.gz` with plugin.wasm in it; `single` the raw module alone, which the gateway's agent refuses.
 */
export type PluginLayout = "oci" | "compat" | "docker" | "single";

export interface PluginOptions {
  readonly module?: Uint8Array;
  readonly layout?: PluginLayout;
}

export function aWasmPlugin({ module = aModule(), layout = "oci" }: PluginOptions = {}): Seed {
  const raw = aBlob(module, MediaType.wasmContent);
  const tar = gzipSync(aTar({ "plugin.wasm": module }));
  const layers: Record<PluginLayout, readonly Seed[]> = {
    oci: [aBlob("{}", MediaType.wasmConfig), raw],
    compat: [aBlob("# README\n", "application/vnd.module.wasm.doc.v1+markdown"), aBlob(tar, MediaType.ociLayerGzip)],
    docker: [aBlob(tar, MediaType.dockerLayerGzip)],
    single: [raw],
  };
  const config = aBlob("{}", layout === "docker" ? MediaType.dockerConfig : MediaType.ociEmpty);
  const mediaType = layout === "docker" ? MediaType.dockerManifest : MediaType.ociManifest;
  return aParent(mediaType, [config, ...layers[layout]], ([c, ...l]) => ({ config: c, layers: l }));
}

/** A chart as `helm push` stores it. Helm writes no media type into the manifest; neither does this. */
export function aChartArtifact({ name = "higress", version = "2.2.4" } = {}): Seed {
  const about = { apiVersion: "v2", name, version, type: "application" };
  const yaml = Object.entries(about).map(([key, value]) => `${key}: ${value}\n`);
  const tgz = gzipSync(aTar({ [`${name}/Chart.yaml`]: yaml.join("") }));
  const config = aBlob(JSON.stringify(about), MediaType.helmConfig);
  const layer = aBlob(tgz, MediaType.helmChart);
  const text = JSON.stringify({ schemaVersion: 2, config: config.root, layers: [layer.root] });
  const self = aBlob(text, MediaType.ociManifest);
  return { root: self.root, blobs: new Map([...config.blobs, ...layer.blobs, ...self.blobs]) };
}

/** A memory store that holds all of them. */
export function aStore(...seeds: readonly Seed[]): MemoryStore {
  const store = new MemoryStore();
  for (const seed of seeds) for (const [digest, bytes] of seed.blobs) store.put(digest, bytes);
  return store;
}

/** The same graph with one byte of a blob changed and its digest kept. */
export function flipped(seed: Seed, digest: Digest, at = 0): Seed {
  const bytes = Uint8Array.from(seed.blobs.get(digest) ?? []);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return { ...seed, blobs: new Map([...seed.blobs, [digest, bytes]]) };
}

export function without(seed: Seed, digest: Digest): Seed {
  return { ...seed, blobs: new Map([...seed.blobs].filter(([each]) => each !== digest)) };
}
