import {
  getBlob,
  getManifest,
  getPluginFile,
  health,
  listReferrers,
  listRepositories,
  listTags,
  version,
  type Operation,
} from "./api.ts";

/** A path and who answers it, for GET and HEAD. There are no other methods: nothing here can change anything. */
export interface Route {
  readonly path: RegExp;
  readonly operation: Operation;
}

/** The whole API. First match wins; a `:` is in digests only, and repositories are looked up, never opened as paths. */
export const routes: readonly Route[] = [
  { path: /^\/healthz$/, operation: health },
  { path: /^\/v2\/?$/, operation: version },
  { path: /^\/v2\/_catalog$/, operation: listRepositories },
  { path: /^\/v2\/(?<name>.+)\/tags\/list$/, operation: listTags },
  { path: /^\/v2\/(?<name>.+)\/manifests\/(?<item>[^/]+)$/, operation: getManifest },
  { path: /^\/v2\/(?<name>.+)\/blobs\/(?<item>[^/]+)$/, operation: getBlob },
  { path: /^\/v2\/(?<name>.+)\/referrers\/(?<item>[^/]+)$/, operation: listReferrers },
  { path: /^\/plugins\/.*?(?<item>[^/]+)$/, operation: getPluginFile },
  { path: /^\/(?<item>[^/]+\.wasm)$/, operation: getPluginFile },
];
