import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { Agent, ProxyAgent, type buildConnector, type Dispatcher } from "undici";
import { BodyQueue } from "./body-queue.ts";
import { resolveProxy } from "./proxy.ts";
import { connectSeconds, type Transport, type WireRequest, type WireResponse } from "./transport.ts";

// undici's parser is WebAssembly. V8 would optimize it once it is warm, which takes 35 MiB for a moment and gains
// nothing: bodies pass it by in large pieces.
setFlagsFromString("--liftoff-only");

export interface UndiciTransportOptions {
  /** PEM, besides Node's own roots. */
  readonly ca: readonly string[];
  readonly insecure: boolean;
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
  /** By proxy; `""` is none. Each keeps a pool per origin. */
  readonly #dispatchers = new Map<string, Dispatcher>();
  #context: SecureContext | undefined;

  constructor(options: UndiciTransportOptions) {
    this.#options = options;
  }

  send(request: WireRequest): Promise<WireResponse> {
    const { stallSeconds } = this.#options;
    const reading = request.method === "GET" || request.method === "HEAD";
    return new Promise((resolve, reject) => {
      const exchange = new Exchange({ stallSeconds, signal: request.signal, resolve, reject });
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

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
    this.#dispatchers.clear();
  }

  #dispatcher(url: URL): Dispatcher {
    const proxy = resolveProxy(url, this.#options.env);
    // An https target is tunnelled, a plain one is asked for by its full address: two agents for one proxy.
    const key = proxy === undefined ? "" : `${url.protocol}${proxy.href}`;
    const known = this.#dispatchers.get(key);
    if (known !== undefined) return known;
    const made = proxy === undefined ? this.#direct() : this.#through(proxy, url);
    this.#dispatchers.set(key, made);
    return made;
  }

  #direct(): Dispatcher {
    return new Agent({ connections: this.#options.connections, connect: this.#connecting() });
  }

  #through(proxy: URL, url: URL): Dispatcher {
    const tls = this.#connecting();
    return new ProxyAgent({
      uri: proxy.href,
      connections: this.#options.connections,
      proxyTunnel: url.protocol === "https:",
      requestTls: tls,
      proxyTls: tls,
    });
  }

  /** One context for all connections: reading 150 roots again for each costs more than the handshake. */
  tls(): Trust {
    const { ca, insecure } = this.#options;
    if (ca.length > 0) this.#context ??= createSecureContext({ ca: [...rootCertificates, ...ca] });
    const context = this.#context === undefined ? {} : { secureContext: this.#context };
    return { ...context, rejectUnauthorized: !insecure };
  }

  #connecting(): buildConnector.BuildOptions {
    return { ...this.tls(), timeout: connectSeconds * 1000 };
  }
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
