import { Failure } from "../../model/failure.ts";
import { redact, sanitize } from "../../model/sanitize.ts";
import { collect } from "../../std/collect.ts";
import { retry, type RetryPolicy } from "../../std/retry.ts";
import { failureOfError, failureOfResponse, RegistryFailure, type RequestContext } from "../registry/errors.ts";
import type { Transport, WireResponse } from "../registry/transport.ts";
import type { Get } from "./pull.ts";

export interface HttpGetOptions {
  /** By host: each may have a CA of its own. */
  readonly transport: (host: string) => Promise<Transport>;
  readonly retry?: Partial<Omit<RetryPolicy, "transient">> | undefined;
}

const maxRedirects = 5;

/**
 * Reads small public files: chart indexes and charts. No credentials are sent, so a redirect may go to any host; but not
 * from https to http, where anybody could put another index in its place.
 */
export function httpGet({ transport, ...options }: HttpGetOptions): Get {
  const policy: RetryPolicy = { attempts: 4, baseDelay: 500, maxDelay: 8000, ...options.retry, transient };
  return (url, { limit, signal }) => retry(policy, () => getOnce(url, { transport, limit, signal }), { signal });
}

/** How large what a URL gives is, as its server tells; `undefined` where it does not. */
export type SizeOf = (
  url: string,
  options: { readonly packed: boolean; readonly signal?: AbortSignal | undefined },
) => Promise<number | undefined>;

/**
 * Asks for sizes, and for no more than four bytes: those at the end of a gzip file say how much comes out of it
 * (RFC 1952, 2.3.1), which of a tar with one program is a few KiB more than the program.
 */
export function httpSize({ transport }: Pick<HttpGetOptions, "transport">): SizeOf {
  return async (url, { packed, signal }) => {
    const range = packed ? { range: "bytes=-4" } : undefined;
    const { at, response } = await follow(url, { transport, limit: 4, signal, method: packed ? "GET" : "HEAD" }, range);
    if (!packed || response.status !== 206) {
      response.body.destroy();
      const length = Number(response.header("content-length")[0]);
      return !packed && response.status === 200 && Number.isSafeInteger(length) && length > 0 ? length : undefined;
    }
    const end = Buffer.from(await read(at, response, { transport, limit: 4, signal }));
    return end.length === 4 ? end.readUInt32LE() : undefined;
  };
}

interface Once {
  readonly transport: HttpGetOptions["transport"];
  /** Bytes; a longer body is a failure. */
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  /** @default GET */
  readonly method?: "GET" | "HEAD";
}

/** A server that is busy or away may be back; one that said no has said it. */
function transient(error: unknown): number | undefined {
  return error instanceof RegistryFailure ? error.retryAfter : undefined;
}

async function getOnce(url: string, once: Once): Promise<Uint8Array> {
  const { at, response } = await follow(url, once);
  if (response.status === 200) return read(at, response, once);
  throw await failureOfResponse(response, contextOf(at));
}

/** The first answer that is no redirect, and whose it is. */
async function follow(
  url: string,
  once: Once,
  more?: Readonly<Record<string, string>>,
): Promise<{ readonly at: URL; readonly response: WireResponse }> {
  let at = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const response = await ask(at, once, more);
    const location = response.header("location")[0];
    if (response.status >= 300 && response.status < 400 && location !== undefined) {
      await response.body.drain();
      if (!URL.canParse(location, at.href))
        throw new Failure("REGISTRY_PROTOCOL", { ...placeOf(at), why: `redirect ${response.status} without a URL` });
      const next = new URL(location, at);
      if (!/^https?:$/.test(next.protocol) || (at.protocol === "https:" && next.protocol !== "https:"))
        throw new Failure("REGISTRY_PROTOCOL", {
          ...placeOf(at),
          why: `redirect ${response.status} to ${next.origin}`,
        });
      at = next;
      continue;
    }
    return { at, response };
  }
  throw new Failure("REGISTRY_PROTOCOL", { ...placeOf(at), why: `> ${maxRedirects} redirects` });
}

async function ask(
  url: URL,
  { transport, signal, method = "GET" }: Once,
  more: Readonly<Record<string, string>> = {},
): Promise<WireResponse> {
  const headers = { "accept-encoding": "identity", "user-agent": "higress-airgap", ...more };
  try {
    return await (await transport(url.host)).send({ method, url, headers, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw failureOfError(error, contextOf(url));
  }
}

async function read(url: URL, { body }: WireResponse, { limit, signal }: Once): Promise<Uint8Array> {
  try {
    return await collect(body, limit);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RangeError) throw new Failure("REGISTRY_PROTOCOL", { ...placeOf(url), why: `> ${limit} B` });
    throw failureOfError(error, contextOf(url));
  }
}

function contextOf(url: URL): RequestContext {
  return { ...placeOf(url), side: "source", as: "anonymous", clean: sanitize };
}

/** Without the query: who signs URLs puts the key there. */
function placeOf(url: URL): Pick<RequestContext, "host" | "action"> {
  return { host: url.host, action: redact(`GET ${url.origin}${url.pathname}`) };
}
