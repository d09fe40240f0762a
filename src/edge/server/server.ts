import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Catalog } from "../../content/bundle-catalog.ts";
import type { PluginFile } from "../../content/plugin-tree.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { refusal, type Answer } from "./answer.ts";
import { BlockSums } from "./block-sums.ts";
import {
  type Served,
  answerBlob,
  answerManifest,
  answerPluginFile,
  health,
  answerReferrers,
  answerRepositories,
  answerTags,
  answerHome,
  version,
  type Operation,
} from "./operations.ts";
import { ClientGone, respond } from "./respond.ts";

export interface ServeOptions {
  readonly catalog?: Catalog | undefined;
  readonly plugins?: ReadonlyMap<string, PluginFile> | undefined;
  /** The page at `/`, for a browser; `host` is how it found us, where that is known. */
  readonly home?: Served["home"];
  /** @default 127.0.0.1, which other machines and containers cannot reach */
  readonly host?: string | undefined;
  /** @default 0: any free one */
  readonly port?: number | undefined;
  /** PEM texts, the chain included. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Asked for everywhere but at /healthz; without it everybody may read. */
  readonly login?: Login | undefined;
  readonly onRequest?: ((line: RequestLine) => void) | undefined;
}

/** One line of an access log, after the answer has gone out. No header and no query: credentials stand in those. */
export interface RequestLine {
  readonly client: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Why the answer was cut: the failure's code, or `gone` for a client that left. */
  readonly cut?: string | undefined;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Takes no new connections, lets running answers end for so long, then closes what is left. */
  drain(seconds: number): Promise<void>;
}

/** A socket on which nothing moved for so long is closed: a client that stopped reading would hold it for ever. */
const idleMilliseconds = 120_000;

/**
 * Serves a catalog as a registry that can only be pulled from, and plugin files beside it.
 * @throws Failure SERVER_UNUSABLE when the address cannot be listened on, or the certificate does not fit its key
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 0, tls } = options;
  const name = host.includes(":") ? `[${host}]` : host;
  try {
    const server = tls === undefined ? http.createServer() : https.createServer({ cert: tls.cert, key: tls.key });
    return await listen(server, options, { host, port, origin: `${tls === undefined ? "http" : "https"}://${name}` });
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new Failure("SERVER_UNUSABLE", { address: `${name}:${port}`, reason }, { cause: error });
  }
}

async function listen(
  server: Server | https.Server,
  options: ServeOptions,
  at: { readonly host: string; readonly port: number; readonly origin: string },
): Promise<RunningServer> {
  const admits = options.login && basicLogin(options.login);
  const sums = new BlockSums();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    void handle({ options, admits, sums }, request, response).finally(() => {
      // An answer that ends while the server drains leaves a connection that nobody will use again.
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  };
  server.on("request", answer);
  // Refused before its body is sent, not after.
  server.on("checkContinue", answer);
  server.setTimeout(idleMilliseconds);
  server.listen({ host: at.host, port: at.port });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const closed = once(server, "close");
  const drain = async (seconds: number): Promise<void> => {
    if (server.listening) server.close();
    const stop = new AbortController();
    await Promise.race([closed, delay(seconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined)]);
    stop.abort();
    server.closeAllConnections();
    await closed;
  };
  return { url: `${at.origin}:${port}`, port, drain, [Symbol.asyncDispose]: () => drain(0) };
}

interface Serving {
  readonly options: ServeOptions;
  readonly admits: Admits | undefined;
  readonly sums: BlockSums;
}

async function handle(
  { options, admits, sums }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const left = new AbortController();
  response.once("close", () => left.abort(new ClientGone("closed")));
  response.setHeader("Docker-Distribution-API-Version", "registry/2.0");
  if (hasBody(request)) response.setHeader("Connection", "close");
  const served = { catalog: options.catalog, plugins: options.plugins, home: options.home };
  const client = request.socket.remoteAddress ?? "";
  const answer = answerOf(() => dispatch(served, admits, request));
  const { bytes, error } = await respond(request, response, answer, { sums, signal: left.signal });
  options.onRequest?.({
    client,
    method: request.method ?? "",
    path: pathOf(request),
    status: response.statusCode,
    bytes,
    milliseconds: performance.now() - started,
    ...(error !== undefined && { cut: reasonOf(error) }),
  });
}

/** A body that nobody reads must not be waited for: the connection ends with the answer. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").replace(/\?.*$/s, "").slice(0, 500);
}

function reasonOf(error: unknown): string {
  if (error instanceof ClientGone) return "gone";
  return isFailure(error) ? error.code : "error";
}

/** What one request stumbles over must not end the server for all others. */
function answerOf(dispatched: () => Answer): Answer {
  try {
    return dispatched();
  } catch {
    return refusal("UNAVAILABLE", { failure: "error" });
  }
}

const openPath = "/healthz";

/** From a request line to an answer; nothing is read or written yet. */
function dispatch(served: Served, admits: Admits | undefined, request: IncomingMessage): Answer {
  const [rawPath = "", ...query] = (request.url ?? "").split("?");
  const path = decoded(rawPath);
  if (path !== openPath && admits?.(request.headers.authorization) === false)
    return refusal("UNAUTHORIZED", {}, { "WWW-Authenticate": 'Basic realm="higress-airgap", charset="UTF-8"' });
  if (request.method !== "GET" && request.method !== "HEAD")
    return refusal("UNSUPPORTED", { method: request.method }, { Allow: "GET, HEAD" });
  const route = path === undefined ? undefined : find(path);
  if (path === undefined || route === undefined) return refusal("NOT_FOUND");
  const { accept } = request.headers;
  const host = hostOf(request);
  return route.operation(served, { path, ...route.named, query: new URLSearchParams(query.join("?")), accept, host });
}

/** The Host header is printed on a page, so it is a name or an address with its port, of which a URL can be made, or nothing. */
function hostOf({ headers: { host = "" } }: IncomingMessage): string | undefined {
  const isHost = /^[\w.-]{1,253}(:\d{1,5})?$|^\[[\da-f:.]{2,45}\](:\d{1,5})?$/i.test(host);
  return isHost && URL.canParse(`http://${host}`) ? host : undefined;
}

function find(path: string): { operation: Operation; named: { name: string; item: string } } | undefined {
  for (const { path: pattern, operation } of routes) {
    const match = pattern.exec(path);
    if (match !== null) return { operation, named: { name: "", item: "", ...match.groups } };
  }
  return undefined;
}

/** `%3A` in a digest is what some clients send. Not decoded twice, and never a path of a file system. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A path and who answers it, for GET and HEAD. There are no other methods: nothing here can change anything. */
interface Route {
  readonly path: RegExp;
  readonly operation: Operation;
}

/** The whole API. First match wins; a `:` is in digests only, and repositories are looked up, never opened as paths. */
const routes: readonly Route[] = [
  { path: /^\/healthz$/, operation: health },
  { path: /^\/$/, operation: answerHome },
  { path: /^\/v2\/?$/, operation: version },
  { path: /^\/v2\/_catalog$/, operation: answerRepositories },
  { path: /^\/v2\/(?<name>.+)\/tags\/list$/, operation: answerTags },
  { path: /^\/v2\/(?<name>.+)\/manifests\/(?<item>[^/]+)$/, operation: answerManifest },
  { path: /^\/v2\/(?<name>.+)\/blobs\/(?<item>[^/]+)$/, operation: answerBlob },
  { path: /^\/v2\/(?<name>.+)\/referrers\/(?<item>[^/]+)$/, operation: answerReferrers },
  { path: /^\/plugins\/.*?(?<item>[^/]+)$/, operation: answerPluginFile },
  { path: /^\/(?<item>[^/]+\.wasm)$/, operation: answerPluginFile },
];

interface Login {
  readonly username: string;
  readonly password: string;
}

/** Whether an Authorization header (RFC 7617) is this login; takes as long for a near miss as for nonsense. */
type Admits = (authorization: string | undefined) => boolean;

function basicLogin({ username, password }: Login): Admits {
  // Both become hashes of one length under a random key: how long the comparison takes tells nothing.
  const key = randomBytes(32);
  const mark = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const wanted = mark(`${username}:${password}`);
  return (authorization) => {
    const given = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(mark(Buffer.from(given, "base64").toString("utf8")), wanted);
  };
}
