import type { Descriptor } from "../../model/descriptor.ts";
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
