import * as z from "zod";
import type { Descriptor } from "../../model/descriptor.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { isFailure } from "../../model/failure.ts";
import { parseManifest } from "../../model/manifest.ts";
import { isIndex, MediaType } from "../../model/media-type.ts";
import { atOrigin } from "../../std/at-origin.ts";
import { protocolFailure } from "./errors.ts";
import { getManifest } from "./manifests.ts";
import type { Remote } from "./remote.ts";

/** `null`: distribution's way to say that the last tag was deleted. */
const TagsDocument = z.object({ tags: z.array(z.string().max(128)).nullish() });

/** All tags, sorted. A repository that is not there is REGISTRY_NOT_FOUND. */
export async function listTags(remote: Remote, signal?: AbortSignal): Promise<readonly string[]> {
  const action = `GET ${remote.name} tags`;
  const tags = new Set<string>();
  for await (const page of pages(remote, { to: remote.url("tags/list?n=1000"), action, signal })) {
    const parsed = TagsDocument.safeParse(page.document);
    if (!parsed.success) throw protocolFailure(remote.endpoint.context(action), "no list of tags");
    for (const tag of parsed.data.tags ?? []) tags.add(tag);
  }
  return [...tags].sort();
}

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

/** A registry with more pages than this is not listing tags but keeping us busy. */
const maxPages = 1000;
const maxPage = 8 * 1024 * 1024;

interface PagesOptions {
  readonly to: string;
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

interface Page {
  readonly document: unknown;
  readonly header: (name: string) => string | undefined;
}

/** Follows `Link: <…>; rel="next"`; our own origin always, its path and query as said. */
async function* pages(remote: Remote, options: PagesOptions): AsyncGenerator<Page, void, undefined> {
  const { action, headers, signal } = options;
  const seen = new Set<string>();
  for (let to: URL | undefined = new URL(options.to, remote.endpoint.origin); to !== undefined;) {
    if (seen.has(to.href) || seen.size >= maxPages) {
      throw protocolFailure(remote.endpoint.context(action), `Link after ${seen.size} pages`);
    }
    seen.add(to.href);
    const { page, next } = await onePage(remote, to, { action, headers, signal });
    yield page;
    to = next;
  }
}

function onePage(
  remote: Remote,
  to: URL,
  {
    action,
    headers,
    signal,
  }: Omit<PagesOptions, "to" | "headers"> & { readonly headers: PagesOptions["headers"] | undefined },
): Promise<{ readonly page: Page; readonly next: URL | undefined }> {
  const { endpoint } = remote;
  return remote.attempt({ what: action, signal }, async () => {
    const scopes = remote.readScopes;
    const response = await endpoint.expect({ method: "GET", to, action, scopes, headers, signal }, [200]);
    const bytes = await endpoint.read(response, maxPage, action, signal);
    const header = (name: string): string | undefined => response.header(name)[0];
    let document: unknown;
    try {
      document = JSON.parse(bytes.toString("utf8"));
    } catch {
      throw protocolFailure(endpoint.context(action), "not JSON");
    }
    return { page: { document, header }, next: nextOf(response.header("link"), to) };
  });
}

/** https://www.rfc-editor.org/rfc/rfc8288, as far as registries go. */
function nextOf(links: readonly string[], from: URL): URL | undefined {
  for (const link of links) {
    const match = /<([^>]*)>[^<]*;\s*rel="?next"?/i.exec(link);
    if (match?.[1] === undefined || !URL.canParse(match[1], from.href)) continue;
    return atOrigin(new URL(match[1], from), from);
  }
  return undefined;
}
