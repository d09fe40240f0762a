import { protocolFailure } from "./errors.ts";
import { atOrigin } from "../../std/at-origin.ts";
import type { Remote } from "./remote.ts";

/** A registry with more pages than this is not listing tags but keeping us busy. */
const maxPages = 1000;
const maxPage = 8 * 1024 * 1024;

export interface PagesOptions {
  readonly to: string;
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface Page {
  readonly document: unknown;
  readonly header: (name: string) => string | undefined;
}

/** Follows `Link: <…>; rel="next"`; our own origin always, its path and query as said. */
export async function* pages(remote: Remote, options: PagesOptions): AsyncGenerator<Page, void, undefined> {
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
