import type { Descriptor } from "../../model/descriptor.ts";
import { isFailure } from "../../model/failure.ts";
import { atOrigin } from "../../std/at-origin.ts";
import { failureOfResponse, protocolFailure } from "./errors.ts";
import type { Remote } from "./remote.ts";
import type { WireResponse } from "./transport.ts";

/**
 * In this repository, that is: Harbor says 404 for a blob that only another project has
 * (docs/facts/harbor.md#blobs-are-asked-per-repository).
 */
export function hasBlob(remote: Remote, descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
  const what = `HEAD ${remote.name}@${descriptor.digest}`;
  return remote.attempt({ what, signal }, () => headBlob(remote, descriptor, signal));
}

/** `hasBlob` for callers that try again themselves. */
export async function headBlob(remote: Remote, descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
  const action = `HEAD ${remote.name}@${descriptor.digest}`;
  const to = remote.url(`blobs/${descriptor.digest}`);
  const scopes = remote.readScopes;
  const response = await remote.endpoint.send({ method: "HEAD", to, action, scopes, signal });
  if (response.status !== 200 && response.status !== 404) {
    throw await failureOfResponse(response, remote.endpoint.context(action));
  }
  await response.body.drain();
  const length = response.header("content-length")[0];
  // A stored blob of another size is damaged, or no blob at all: uploading it is the only mend.
  return response.status === 200 && (length === undefined || Number(length) === descriptor.size);
}

/** What a POST for a mount led to: the blob is there, or an upload session was opened instead, or neither. */
type Mounted = { readonly mounted: true } | { readonly mounted: false; readonly session: URL | undefined };

/**
 * Lets a blob of another repository be one of this one as well, without its bytes. Every refusal is `mounted: false`:
 * Harbor refuses the whole POST with 401 when the source cannot be read
 * (docs/facts/harbor.md#mount-without-a-right-is-401), and uploading works still.
 */
export async function mountBlob(
  remote: Remote,
  descriptor: Descriptor,
  from: string,
  signal?: AbortSignal,
): Promise<Mounted> {
  const action = `POST ${remote.name} mount ${descriptor.digest}`;
  const source = remote.endpoint.prefix === "" ? from : `${remote.endpoint.prefix}/${from}`;
  const query = new URLSearchParams({ mount: descriptor.digest, from: source });
  const scopes = [...remote.writeScopes, `repository:${source}:pull`];
  const headers = { "content-length": "0" };
  const to = `${remote.url("blobs/uploads/")}?${query.toString()}`;
  try {
    return await remote.attempt({ what: action, signal }, async () => {
      const response = await remote.endpoint.expect(
        { method: "POST", to, action, scopes, headers, signal },
        [201, 202],
      );
      await response.body.drain();
      return response.status === 201
        ? { mounted: true }
        : { mounted: false, session: uploadUrl(remote, response, action) };
    });
  } catch (error) {
    const refused = isFailure(
      error,
      "REGISTRY_UNAUTHORIZED",
      "REGISTRY_DENIED",
      "REGISTRY_NOT_FOUND",
      "REGISTRY_REFUSED",
      "REGISTRY_BUSY",
    );
    if (!refused) throw error;
    return { mounted: false, session: undefined };
  }
}

/**
 * Where an upload goes on. Behind a TLS proxy that hides itself a registry says `http://` or an inner name: the origin
 * is always ours, its path and query (`_state`!) are taken as they are (docs/facts/harbor.md#locations-and-realms).
 */
export function uploadUrl(remote: Remote, response: WireResponse, action: string): URL {
  const { origin } = remote.endpoint;
  const location = response.header("location")[0];
  const refuse = (why: string): Error => protocolFailure(remote.endpoint.context(action), why);
  if (location === undefined || !URL.canParse(location, origin.href)) throw refuse("no usable Location for the upload");
  const url = new URL(location, origin);
  if (url.host !== origin.host && !url.pathname.startsWith("/v2/")) {
    throw refuse(`upload Location at ${url.origin}${url.pathname}`);
  }
  return atOrigin(url, origin);
}
