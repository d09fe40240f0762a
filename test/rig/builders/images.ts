import { MediaType } from "../../../src/model/media-type.ts";
import { aBlob, aParent, type Graph } from "./graph.ts";

export interface ImageOptions {
  readonly layers?: readonly Graph[];
  readonly os?: string;
  readonly architecture?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** docker's media types instead of OCI's. */
  readonly docker?: boolean;
  /** What it refers to: a signature, an SBOM. */
  readonly subject?: Graph;
  readonly artifactType?: string;
}

export function anImage(options: ImageOptions = {}): Graph {
  const { os = "linux", architecture = "amd64", docker = false, annotations, subject, artifactType } = options;
  const layerType = docker ? MediaType.dockerLayerGzip : MediaType.ociLayerGzip;
  const { layers = [aBlob(`layer of ${architecture}`, layerType)] } = options;
  const configType = docker ? MediaType.dockerConfig : MediaType.ociConfig;
  const rootfs = { type: "layers", diff_ids: layers.map((layer) => layer.root.digest) };
  const config = aBlob(JSON.stringify({ os, architecture, rootfs, config: {} }), configType);
  return aParent(docker ? MediaType.dockerManifest : MediaType.ociManifest, [config, ...layers], (first, ...rest) => ({
    config: first,
    layers: rest,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject: subject.root }),
    ...(annotations === undefined ? {} : { annotations }),
  }));
}

/** Platforms as keys: `{ "linux/amd64": anImage() }`; by default one image for each of our two. */
export function anIndex(images?: Readonly<Record<string, Graph>>, { docker = false } = {}): Graph {
  const children = images ?? {
    "linux/amd64": anImage({ docker }),
    "linux/arm64": anImage({ architecture: "arm64", docker }),
  };
  const platforms = Object.keys(children);
  return aParent(docker ? MediaType.dockerList : MediaType.ociIndex, Object.values(children), (...manifests) => ({
    manifests: manifests.map((manifest, index) => {
      const [os, architecture, variant] = (platforms[index] ?? "").split("/");
      return { ...manifest, platform: { architecture, os, ...(variant === undefined ? {} : { variant }) } };
    }),
  }));
}
