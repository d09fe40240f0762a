/** Media types we read or write. Sources: the OCI image spec, Docker's v2 schema 2, Helm, and the Higress plugin spec. */
export const MediaType = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociEmpty: "application/vnd.oci.empty.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  helmConfig: "application/vnd.cncf.helm.config.v1+json",
  helmChart: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
  wasmConfig: "application/vnd.module.wasm.config.v1+json",
  wasmContent: "application/vnd.module.wasm.content.layer.v1+wasm",
} as const;

const indexes: ReadonlySet<string> = new Set([MediaType.ociIndex, MediaType.dockerList]);
const manifests: ReadonlySet<string> = new Set([MediaType.ociManifest, MediaType.dockerManifest]);

export function isIndex(mediaType: string): boolean {
  return indexes.has(mediaType);
}

/** True for what `/v2/<name>/manifests/` serves: an image manifest or an index. */
export function isManifest(mediaType: string): boolean {
  return manifests.has(mediaType) || isIndex(mediaType);
}

/** All four, in one header: docker-registry answers 404 for an OCI manifest that was not asked for by type. */
export const manifestAccept: string = [...indexes, ...manifests].join(", ");
