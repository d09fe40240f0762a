import { createSecureContext, rootCertificates, TLSSocket, type SecureContext } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { Agent, buildConnector, ProxyAgent, type Dispatcher } from "undici";
import type { ClientKeyPair } from "./access.ts";
import { BodyQueue } from "./body-queue.ts";
import { resolveProxy } from "./proxy.ts";
import { connectSeconds, type Transport, type WireRequest, type WireResponse } from "./transport.ts";

let parserIsCompiled = false;

/**
 * undici compiles its parser, WebAssembly, within the callback of the first connection. V8 would optimize it once it is warm, on
 * threads beside: 18 MiB for good and a tenth of a second, for nothing, since bodies pass it by in large pieces
 * (docs/facts/node.md#flags-and-compiled-code). What is compiled at once and without counters is never optimized. The flags hold for
 * this call alone: under others V8 takes nothing of what was compiled beforehand, of Node's own modules and of ours.
 */
function compilingPlainly(connected: () => void): void {
  const flags = parserIsCompiled ? [] : ["wasm-lazy-compilation", "wasm-dynamic-tiering", "wasm-tier-up"];
  parserIsCompiled = true;
  for (const flag of flags) setFlagsFromString(`--no-${flag}`);
  try {
    connected();
  } finally {
    for (const flag of flags) setFlagsFromString(`--${flag}`);
  }
}

export interface UndiciTransportOptions {
  /** PEM, besides Node's own roots. */
  readonly ca: readonly string[];
  readonly insecure: boolean;
  readonly client?: (ClientKeyPair & { readonly origin: string }) | undefined;
  /** HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Sockets to one origin. */
  readonly connections: number;
  readonly stallSeconds: number;
}

/** What TLS connections trust. */
export interface Trust {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/**
 * A registry behind slow object storage is silent for long after the last byte of a PUT
 * (docs/facts/harbor.md#bulk-pushes).
 */
const writePatience = 10;

export class UndiciTransport implements Transport {
  readonly #options: UndiciTransportOptions;
  /** By proxy (`""` is none), and by whether our client certificate is shown. Each keeps a pool per origin. */
  readonly #dispatchers = new Map<string, Dispatcher>();
  /**
   * By local port. In TLS 1.3 a server refuses our certificate after the handshake, and closes: undici tells only of the
   * closing.
   */
  readonly #alerts = new Map<number, Error>();
  readonly #contexts = new Map<boolean, SecureContext>();

  constructor(options: UndiciTransportOptions) {
    this.#options = options;
  }

  send(request: WireRequest): Promise<WireResponse> {
    const { stallSeconds } = this.#options;
    const reading = request.method === "GET" || request.method === "HEAD";
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(this.#alertBehind(error) ?? error);
      const exchange = new Exchange({ stallSeconds, signal: request.signal, resolve, reject: failed });
      if (request.signal?.aborted === true) return;
      const options: Dispatcher.DispatchOptions = {
        origin: request.url.origin,
        path: `${request.url.pathname}${request.url.search}`,
        method: request.method,
        headers: { ...request.headers },
        // undici takes any async iterable; its types name Readable only.
        body: (request.body ?? null) as Dispatcher.DispatchOptions["body"] & object,
        headersTimeout: stallSeconds * 1000 * (reading ? 1 : writePatience),
        // The queue watches the pace, which sees a drip too.
        bodyTimeout: 0,
        // undici would close the connection after every HEAD; a push asks one per blob, and each cost two round trips.
        reset: false,
      };
      this.#dispatcher(request.url).dispatch(options, exchange);
    });
  }

  #alertBehind(error: Error): Error | undefined {
    const { socket } = error as { readonly socket?: { readonly localPort?: number; readonly bytesRead?: number } };
    if (socket?.bytesRead !== 0) return undefined;
    return this.#alerts.get(socket.localPort ?? 0);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    this.#dispatchers.clear();
  }

  #dispatcher(url: URL): Dispatcher {
    const proxy = resolveProxy(url, this.#options.env);
    // An https target is tunnelled, a plain one is asked for by its full address: two agents for one proxy.
    const key = `${this.#showsClient(url)} ${proxy === undefined ? "" : `${url.protocol}${proxy.href}`}`;
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const made = proxy === undefined ? this.#direct(url) : this.#through(proxy, url);
    this.#dispatchers.set(key, made);
    return made;
  }

  #direct(url: URL): Dispatcher {
    const connect = buildConnector(this.#connecting(url));
    const watched: buildConnector.connector = (options, callback) =>
      connect(options, (...[error, socket]) => {
        if (socket instanceof TLSSocket) this.#listen(socket);
        const connected = (): void => callback(...([error, socket] as Parameters<buildConnector.Callback>));
        if (error === null) compilingPlainly(connected);
        else connected();
      });
    return new Agent({ connections: this.#options.connections, connect: watched });
  }

  /** An alert is forgotten once what waited for that connection has been told: the port will be another connection's. */
  #listen(socket: TLSSocket): void {
    const { localPort = 0 } = socket;
    socket.once("error", (alert: Error) => this.#alerts.set(localPort, alert));
    socket.once("close", () => setImmediate(() => this.#alerts.delete(localPort)));
  }

  #showsClient({ origin }: URL): boolean {
    return this.#options.client?.origin === origin;
  }

  #through(proxy: URL, url: URL): Dispatcher {
    const tls = this.#connecting(url);
    return new ProxyAgent({
      uri: proxy.href,
      connections: this.#options.connections,
      proxyTunnel: url.protocol === "https:",
      requestTls: tls,
      proxyTls: tls,
    });
  }

  /** One context for all connections: reading 150 roots again for each costs more than the handshake. */
  tls(url: URL): Trust {
    const { ca, insecure, client } = this.#options;
    const shown = this.#showsClient(url) ? client : undefined;
    const known = this.#contexts.get(shown !== undefined);
    const secureContext = known ?? (ca.length > 0 || shown !== undefined ? trusting(ca, shown) : undefined);
    if (secureContext !== undefined) this.#contexts.set(shown !== undefined, secureContext);
    return { ...(secureContext && { secureContext }), rejectUnauthorized: !insecure };
  }

  #connecting(url: URL): buildConnector.BuildOptions {
    return { ...this.tls(url), timeout: connectSeconds * 1000 };
  }
}

/**
 * Node's roots and these. A file that has only the issuing CA is enough, as for curl and Go: what is named is trusted,
 * whether or not it signed itself.
 */
export function trusting(ca: readonly string[], client?: ClientKeyPair): SecureContext {
  const key = client === undefined ? {} : { cert: client.cert, key: client.key };
  return createSecureContext({ ca: [...rootCertificates, ...ca], allowPartialTrustChain: true, ...key });
}

interface ExchangeOptions {
  readonly stallSeconds: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: Error) => void;
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #body: BodyQueue | undefined;
  readonly #onAbort = (): void => this.#abort();

  constructor(options: ExchangeOptions) {
    this.#options = options;
    if (options.signal?.aborted === true) this.#abort();
    else options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { signal } = this.#options;
    if (signal?.aborted === true) controller.abort(reasonOf(signal));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    const flow = {
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      abort: () => controller.abort(new Error("body destroyed")),
    };
    this.#body = new BodyQueue(flow, this.#options.stallSeconds);
    this.#options.resolve({
      status,
      header: (name) => [headers[name] ?? []].flat(),
      body: this.#body,
    });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.add(chunk);
  }

  onResponseEnd(): void {
    this.#detach();
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#detach();
    this.#fail(error);
  }

  /** A request that still waits for its connection has no controller: the caller must not wait for that connection. */
  #abort(): void {
    const { signal } = this.#options;
    const reason = signal === undefined ? new Error("aborted") : reasonOf(signal);
    this.#fail(reason);
    this.#controller?.abort(reason);
  }

  #fail(error: Error): void {
    if (this.#body === undefined) this.#options.reject(error);
    else this.#body.fail(error);
  }

  #detach(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DOMException("aborted", "AbortError");
}
