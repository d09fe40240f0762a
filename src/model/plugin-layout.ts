import type { Descriptor } from "./descriptor.ts";
import type { ImageManifest } from "./manifest.ts";
import { MediaType } from "./media-type.ts";

/** How a gateway will take the module out of an artifact, or why it cannot. */
export type PluginLayout =
  | { readonly shape: "oci"; readonly layer: Descriptor }
  | {
      readonly shape: "docker" | "compat";
      readonly layer: Descriptor;
      /** The raw module beside it, which the gateway takes when the tar has none; never with docker's types. */
      readonly raw?: Descriptor;
    }
  | { readonly shape: "unloadable"; readonly why: string; readonly wasmLayer?: Descriptor };

/** Raw modules as different tools have labelled them: Higress, wasm-to-oci, and the CNCF's artifact format. */
const rawModules: ReadonlySet<string> = new Set([
  MediaType.wasmContent,
  "application/vnd.wasm.content.layer.v1+wasm",
  "application/wasm",
]);

/**
 * The predicate of Istio's agent (`pkg/wasm/imagefetcher.go`), which every Higress gateway has inside. It looks at the
 * document's own `mediaType` (what the registry sends it as does not count), then at the last layer, then at the number
 * of layers; the config's type is ignored. That a tar holds `plugin.wasm` shows only when it is read (`readModule`).
 */
export function pluginLayout(manifest: ImageManifest): PluginLayout {
  const last = manifest.layers.at(-1);
  if (last === undefined) return { shape: "unloadable", why: "0 layers" };
  if (manifest.mediaType === MediaType.dockerManifest) {
    if (last.mediaType === MediaType.dockerLayerGzip) return { shape: "docker", layer: last };
    return unloadable(manifest, `last layer ${last.mediaType}`);
  }
  const twoLayers = manifest.layers.length === 2;
  const raw = twoLayers ? manifest.layers.find(({ mediaType }) => mediaType === MediaType.wasmContent) : undefined;
  if (last.mediaType === MediaType.ociLayerGzip)
    return { shape: "compat", layer: last, ...(raw === undefined ? {} : { raw }) };
  if (!twoLayers) return unloadable(manifest, `${manifest.layers.length} layers, 2 wanted`);
  return raw === undefined ? unloadable(manifest, `no layer ${MediaType.wasmContent}`) : { shape: "oci", layer: raw };
}

/** One raw module, whatever it is called and wherever it stands, can be laid out again (`repackPlugin`). */
function unloadable(manifest: ImageManifest, why: string): PluginLayout {
  const [wasmLayer, ...others] = manifest.layers.filter(({ mediaType }) => rawModules.has(mediaType));
  return wasmLayer === undefined || others.length > 0
    ? { shape: "unloadable", why }
    : { shape: "unloadable", why, wasmLayer };
}
