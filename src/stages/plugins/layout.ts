import type { Descriptor } from "../../model/descriptor.ts";
import { digestOf, type Digest } from "../../model/digest.ts";
import type { ImageManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";

/** How a gateway will take the module out of an artifact, or why it cannot. */
export type PluginLayout =
  | { readonly shape: "docker" | "compat" | "oci"; readonly layer: Descriptor }
  | { readonly shape: "unloadable"; readonly why: string; readonly wasmLayer?: Descriptor };

/** Raw modules as different tools have labelled them: Higress, wasm-to-oci, and the CNCF's artifact format. */
const rawModules: ReadonlySet<string> = new Set([
  MediaType.wasmContent,
  "application/vnd.wasm.content.layer.v1+wasm",
  "application/wasm",
]);

/**
 * The predicate of Istio's agent (`pkg/wasm/imagefetcher.go`), which every Higress gateway has inside. It looks at the
 * document's own `mediaType`, then at the last layer, then at the number of layers; the config's type is ignored.
 * That a tar holds `plugin.wasm` shows only when it is read (`readModule`).
 * @param manifestMediaType what the registry sent the manifest as; it holds where the document does not say
 */
export function pluginLayout(manifest: ImageManifest, manifestMediaType: string): PluginLayout {
  const last = manifest.layers.at(-1);
  if (last === undefined) return { shape: "unloadable", why: "0 layers" };
  if ((manifest.mediaType ?? manifestMediaType) === MediaType.dockerManifest) {
    if (last.mediaType === MediaType.dockerLayerGzip) return { shape: "docker", layer: last };
    return unloadable(manifest, `last layer ${last.mediaType}`);
  }
  if (last.mediaType === MediaType.ociLayerGzip) return { shape: "compat", layer: last };
  if (manifest.layers.length !== 2) return unloadable(manifest, `${manifest.layers.length} layers, 2 wanted`);
  const layer = manifest.layers.find(({ mediaType }) => mediaType === MediaType.wasmContent);
  return layer === undefined ? unloadable(manifest, `no layer ${MediaType.wasmContent}`) : { shape: "oci", layer };
}

/** One raw module, whatever it is called and wherever it stands, can be laid out again (`repackPlugin`). */
function unloadable(manifest: ImageManifest, why: string): PluginLayout {
  const [wasmLayer, ...others] = manifest.layers.filter(({ mediaType }) => rawModules.has(mediaType));
  return wasmLayer === undefined || others.length > 0
    ? { shape: "unloadable", why }
    : { shape: "unloadable", why, wasmLayer };
}

export interface MadeContent {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface RepackedPlugin {
  readonly manifest: MadeContent;
  /** Blobs that the source does not have. The module's layer keeps its digest and is fetched from there. */
  readonly blobs: readonly MadeContent[];
}

/** https://github.com/opencontainers/image-spec/blob/main/annotations.md: the image that this one is made from. */
const baseDigest = "org.opencontainers.image.base.digest";

/**
 * A plugin that no gateway could load, laid out as the two layers that all of them can: an empty config document and
 * the module. A function of its arguments alone, so that a second build finds the same digest.
 * @param original the digest of the manifest that this replaces, kept as an annotation
 */
export function repackPlugin(manifest: ImageManifest, wasmLayer: Descriptor, original?: Digest): RepackedPlugin {
  const empty = made(MediaType.wasmConfig, "{}");
  const annotations = { ...manifest.annotations, ...(original === undefined ? {} : { [baseDigest]: original }) };
  const document = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: entry(empty.descriptor),
    layers: [entry(empty.descriptor), entry({ ...wasmLayer, mediaType: MediaType.wasmContent }, "plugin.wasm")],
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: sorted(annotations) }),
  };
  return { manifest: made(MediaType.ociManifest, JSON.stringify(document)), blobs: [empty] };
}

function entry({ mediaType, digest, size }: Descriptor, title?: string): object {
  return {
    mediaType,
    digest,
    size,
    ...(title === undefined ? {} : { annotations: { "org.opencontainers.image.title": title } }),
  };
}

function made(mediaType: string, text: string): MadeContent {
  const bytes = Buffer.from(text);
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
}

function sorted(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
