import type { Descriptor } from "../../model/descriptor.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { isFailure } from "../../model/failure.ts";
import { parseManifest } from "../../model/manifest.ts";
import { isIndex, MediaType } from "../../model/media-type.ts";
import { getManifest } from "./manifests.ts";
import { pages } from "./pages.ts";
import type { Remote } from "./remote.ts";

/**
 * What refers to `digest`: by the API, or by the tag that clients keep where the registry has none
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#unavailable-referrers-api).
 */
export async function listReferrers(
  remote: Remote,
  digest: Digest,
  artifactType?: string,
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  const all = (await byApi(remote, digest, artifactType, signal)) ?? (await byTag(remote, digest, signal));
  // Filtering is the registry's choice.
  return artifactType === undefined ? all : all.filter((each) => each.artifactType === artifactType);
}

async function byApi(
  remote: Remote,
  digest: Digest,
  artifactType: string | undefined,
  signal?: AbortSignal,
): Promise<readonly Descriptor[] | undefined> {
  const query = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  const action = `GET ${remote.name} referrers of ${digest}`;
  const found: Descriptor[] = [];
  const headers = { accept: MediaType.ociIndex };
  try {
    for await (const page of pages(remote, {
      to: remote.url(`referrers/${digest}${query}`),
      action,
      headers,
      signal,
    })) {
      const index = parseManifest(Buffer.from(JSON.stringify(page.document)), MediaType.ociIndex);
      if (index.kind === "index") found.push(...index.manifests);
    }
    return found;
  } catch (error) {
    // 404, 405, and 200 with a page for people: there is no such API here.
    if (isFailure(error, "REGISTRY_NOT_FOUND", "REGISTRY_REFUSED", "REGISTRY_PROTOCOL", "MANIFEST_INVALID"))
      return undefined;
    throw error;
  }
}

async function byTag(remote: Remote, digest: Digest, signal?: AbortSignal): Promise<readonly Descriptor[]> {
  try {
    const { descriptor, bytes } = await getManifest(remote, `sha256-${hexOf(digest)}`, signal);
    if (!isIndex(descriptor.mediaType)) return [];
    const index = parseManifest(bytes, descriptor.mediaType);
    return index.kind === "index" ? index.manifests : [];
  } catch (error) {
    if (isFailure(error, "REGISTRY_NOT_FOUND")) return [];
    throw error;
  }
}
