import type { DescribedContent } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { digestOf, type Digest } from "../../model/digest.ts";
import type { ImageManifest } from "../../model/manifest.ts";
import { MediaType } from "../../model/media-type.ts";

interface RepackedPlugin {
  readonly manifest: DescribedContent;
  /** Blobs that the source does not have. The module's layer keeps its digest and is fetched from there. */
  readonly blobs: readonly DescribedContent[];
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

function made(mediaType: string, text: string): DescribedContent {
  const bytes = Buffer.from(text);
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
}

function sorted(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)));
}
