import { atOrigin } from "../../std/at-origin.ts";
import { protocolFailure } from "./errors.ts";
import type { Remote } from "./remote.ts";
import type { WireResponse } from "./transport.ts";

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
