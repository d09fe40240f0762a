import type { WireRequest, WireResponse } from "./transport.ts";

export interface FollowOptions {
  readonly request: WireRequest;
  readonly authorization: string | undefined;
  readonly refuse: (why: string) => Error;
}

const maxHops = 5;
const statuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What the last of the redirects led to. */
export interface Followed {
  readonly response: WireResponse;
  /** The origin that answered, when on the way the one that was asked was left. Its challenges are not for our login. */
  readonly stranger: string | undefined;
}

/**
 * Follows the redirects of a read: to object storage, mostly. The Authorization header is for the first origin only and
 * does not come back once it was left out. None leads from https to http, though the bytes were checked by their digest:
 * a signed URL is a credential, and who listens learns what is carried. Writes are not followed: a 308 to https means
 * that the address is wrong.
 */
export async function follow(
  send: (request: WireRequest) => Promise<WireResponse>,
  options: FollowOptions,
): Promise<Followed> {
  const { request, refuse } = options;
  let { url } = request;
  let { authorization } = options;
  let strayed = false;
  for (let hop = 0; hop <= maxHops; hop += 1) {
    const headers = authorization === undefined ? request.headers : { ...request.headers, authorization };
    const response = await send({ ...request, url, headers });
    if (!statuses.has(response.status)) return { response, stranger: strayed ? url.origin : undefined };
    await response.body.drain();
    const next = nextUrl(response, url, options);
    strayed ||= next.origin !== request.url.origin;
    if (strayed) authorization = undefined;
    url = next;
  }
  throw refuse(`more than ${maxHops} redirects`);
}

function nextUrl(response: WireResponse, from: URL, { request, refuse }: FollowOptions): URL {
  const location = response.header("location")[0] ?? "";
  if (!URL.canParse(location, from.href)) throw refuse(`redirect ${response.status} without a usable Location`);
  const next = new URL(location, from);
  const downgrade = from.protocol === "https:" && next.protocol !== "https:";
  const reading = request.method === "GET" || request.method === "HEAD";
  if (!reading || !/^https?:$/.test(next.protocol) || downgrade) {
    // Without its query, which in signed URLs is a credential.
    throw refuse(`redirect ${response.status} to ${next.origin}${next.pathname}`);
  }
  next.username = "";
  next.password = "";
  return next;
}
