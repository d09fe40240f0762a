import { once } from "node:events";
import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Catalog } from "../../content/bundle-catalog.ts";
import type { PluginFile } from "../../content/plugin-tree.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { Served } from "./operations.ts";
import { BlockSums } from "./block-sums.ts";
import { ClientGone, respond } from "./respond.ts";
import { basicLogin, dispatch, type Admits, type AdmittedLogin } from "./dispatch.ts";

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
  readonly login?: AdmittedLogin | undefined;
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
  const { bytes, error } = await respond(request, response, dispatch(served, admits, request), {
    sums,
    signal: left.signal,
  });
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
