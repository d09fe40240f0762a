import { request, type Dispatcher } from "undici";
import { Failure, isFailure } from "../../model/failure.ts";
import { redact, sanitize } from "../../model/sanitize.ts";
import { collect } from "../../std/collect.ts";
import { retry, type RetryPolicy } from "../../std/retry.ts";
import type { Get } from "./pull.ts";

/** How files are fetched. */
export interface HttpGetOptions {
  /** Carries proxy, CA and timeouts. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly retry?: Partial<Omit<RetryPolicy, "transient">> | undefined;
}

const maxRedirects = 5;

/** Reads small public files: chart indexes and charts. No credentials are sent, so a redirect may go anywhere. */
export function httpGet(options: HttpGetOptions = {}): Get {
  const policy: RetryPolicy = { attempts: 4, baseDelay: 500, maxDelay: 8000, ...options.retry, transient };
  return (url, { limit, signal }) =>
    retry(policy, () => getOnce(url, { limit, signal, dispatcher: options.dispatcher }), { signal });
}

interface Once {
  /** Bytes; a longer body is a failure. */
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
  readonly dispatcher: Dispatcher | undefined;
}

/** A server that is busy or away may be back; one that said no has said it. */
function transient(error: unknown): number | undefined {
  return isFailure(error, "REGISTRY_BUSY", "REGISTRY_UNREACHABLE") ? 0 : undefined;
}

async function getOnce(url: string, once: Once): Promise<Uint8Array> {
  let at = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const answer = await ask(at, once);
    const location = answer.headers["location"];
    if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === "string") {
      await answer.body.dump({ limit: 16 * 1024 });
      at = new URL(location, at);
      continue;
    }
    if (answer.statusCode === 200) return read(at, answer, once);
    throw refused(at, answer.statusCode, await words(answer.body));
  }
  throw new Failure("REGISTRY_PROTOCOL", { host: at.host, action: action(at), why: `> ${maxRedirects} redirects` });
}

async function ask(url: URL, { signal, dispatcher }: Once): Promise<Dispatcher.ResponseData> {
  try {
    const answer = await request(url, {
      headers: { "accept-encoding": "identity", "user-agent": "higress-airgap" },
      ...(signal === undefined ? {} : { signal }),
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    // A body that is left before its end reports the abort once more, to nobody: that would end the process.
    answer.body.on("error", () => undefined);
    return answer;
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreachable(url, cause);
  }
}

async function read(url: URL, answer: Dispatcher.ResponseData, { limit, signal }: Once): Promise<Uint8Array> {
  try {
    return await collect(answer.body, limit);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof RangeError)
      throw new Failure("REGISTRY_PROTOCOL", { host: url.host, action: action(url), why: `> ${limit} B` });
    throw unreachable(url, cause);
  }
}

function refused(url: URL, status: number, answer: string): Failure {
  const facts = { host: url.host, action: action(url), answer };
  if (status === 404 || status === 410) return new Failure("REGISTRY_NOT_FOUND", facts);
  if (status === 401) return new Failure("REGISTRY_UNAUTHORIZED", { ...facts, as: "anonymous" });
  if (status === 403) return new Failure("REGISTRY_DENIED", facts);
  if (status === 429 || status >= 500) return new Failure("REGISTRY_BUSY", { ...facts, status });
  return new Failure("REGISTRY_REFUSED", { ...facts, status });
}

function unreachable(url: URL, cause: unknown): Failure {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = sanitize(code === undefined ? message : `${code} ${message}`, 200);
  const facts = { host: url.host, reason };
  return /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/i.test(code ?? "")
    ? new Failure("REGISTRY_TLS", facts, { cause })
    : new Failure("REGISTRY_UNREACHABLE", { ...facts, action: action(url) }, { cause });
}

function action(url: URL): string {
  return redact(`GET ${url.origin}${url.pathname}`);
}

async function words(body: Dispatcher.ResponseData["body"]): Promise<string> {
  try {
    return sanitize((await collect(body, 8192)).toString("utf8"), 300);
  } catch {
    return "";
  }
}
