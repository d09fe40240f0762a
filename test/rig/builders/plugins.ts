import { MediaType } from "../../../src/model/media-type.ts";
import { aBlob, aParent, type Graph } from "./graph.ts";
import { aTgz } from "./tar.ts";

/** The smallest module there is: the magic number and version 1. */
export const emptyModule = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/**
 * How a plugin is laid out in its image (docs/facts/higress.md#plugin-layouts): `oci` is what oras pushes and the
 * gateway loads, `compat` a tar layer with plugin.wasm behind a document, `docker` what docker build makes, `single`
 * the one-layer form that the gateway refuses.
 */
export type PluginLayout = "oci" | "compat" | "docker" | "single";

export interface PluginOptions {
  readonly module?: Uint8Array;
  readonly layout?: PluginLayout;
}

const documentation = "application/vnd.module.wasm.doc.v1+markdown";

export function aWasmPlugin({ module = emptyModule, layout = "oci" }: PluginOptions = {}): Graph {
  const docker = layout === "docker";
  const config = docker
    ? aBlob(JSON.stringify({ os: "linux", architecture: "amd64", config: {} }), MediaType.dockerConfig)
    : aBlob("{}", MediaType.ociEmpty);
  const layers = layersOf(layout, module);
  return aParent(docker ? MediaType.dockerManifest : MediaType.ociManifest, [config, ...layers], (first, ...rest) => ({
    ...(docker ? {} : { artifactType: "application/vnd.unknown.artifact.v1" }),
    config: first,
    layers: rest,
  }));
}

function layersOf(layout: PluginLayout, module: Uint8Array): readonly Graph[] {
  switch (layout) {
    case "oci":
      return [aBlob("{}", MediaType.wasmConfig), aBlob(module, MediaType.wasmContent)];
    case "single":
      return [aBlob(module, MediaType.wasmContent)];
    case "compat":
      return [aBlob("# README\n", documentation), aBlob(aTgz({ "plugin.wasm": module }), MediaType.ociLayerGzip)];
    case "docker":
      return [aBlob(aTgz({ "plugin.wasm": module }), MediaType.dockerLayerGzip)];
  }
}
