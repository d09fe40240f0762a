import type { ConnectionOptions } from "node:tls";
import { resolveProxy } from "./proxy.ts";
import { ReceivingSocket, UnsuitableAnswer } from "./receiving-socket.ts";
import { StalledError, type Transport, type WireRequest, type WireResponse } from "./transport.ts";

export interface BulkTransportOptions {
  /** Sends all that is not for sockets. */
  readonly general: Transport;
  readonly tls: (url: URL) => ConnectionOptions;
  /** HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stallSeconds: number;
  /** Bodies from this size on, in bytes: for less a connection of its own is not worth its round trip. @default 4 MiB */
  readonly from?: number | undefined;
}

const sendable = /^[\t\x20-\x7e]*$/;

/**
 * Receives large bodies over sockets that use their memory again, at half of what a general client's processor time
 * and memory are. What is out of the ordinary goes to the general one: proxies, and servers that do not plainly say
 * where a body ends. As many sockets as requests at one time: their number is the caller's.
 */
export class BulkTransport implements Transport {
  readonly #options: BulkTransportOptions;
  readonly #sockets = new Set<ReceivingSocket>();
  /** By origin. */
  readonly #idle = new Map<string, Set<ReceivingSocket>>();
  readonly #unsuitable = new Set<string>();

  constructor(options: BulkTransportOptions) {
    this.#options = options;
  }

  async send(request: WireRequest): Promise<WireResponse> {
    const { general } = this.#options;
    const text = this.#isForSockets(request) ? requestText(request) : undefined;
    if (text === undefined) return general.send(request);
    try {
      return await this.#ask(request, text);
    } catch (error) {
      if (!(error instanceof UnsuitableAnswer)) throw error;
      this.#unsuitable.add(request.url.origin);
      return general.send(request);
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy(new Error("closed"));
    this.#sockets.clear();
    this.#idle.clear();
    await this.#options.general.close();
  }

  #isForSockets({ method, url, body, expects = 0 }: WireRequest): boolean {
    const { from = 4 * 1024 ** 2, env } = this.#options;
    if (method !== "GET" || body !== undefined || expects < from) return false;
    return !this.#unsuitable.has(url.origin) && resolveProxy(url, env) === undefined;
  }

  async #ask({ url, signal }: WireRequest, text: string): Promise<WireResponse> {
    for (let socket = this.#idleTo(url); socket !== undefined; socket = this.#idleTo(url)) {
      try {
        return await socket.ask(text, signal);
      } catch (error) {
        signal?.throwIfAborted();
        // Closed by the server while it was idle: nothing was lost but this request. Silence is no such thing.
        if (!socket.isSilent || error instanceof StalledError) throw error;
      }
    }
    return this.#open(url).ask(text, signal);
  }

  #idleTo({ origin }: URL): ReceivingSocket | undefined {
    const idle = this.#idleOf(origin);
    // The one that was used last: what was not used for long is closed first.
    const socket = [...idle].findLast(({ isUsable }) => isUsable);
    if (socket !== undefined) idle.delete(socket);
    return socket;
  }

  #idleOf(origin: string): Set<ReceivingSocket> {
    const idle = this.#idle.get(origin) ?? new Set();
    this.#idle.set(origin, idle);
    return idle;
  }

  #open(origin: URL): ReceivingSocket {
    const { tls, stallSeconds } = this.#options;
    const onIdle = (idle: ReceivingSocket): void => void this.#idleOf(origin.origin).add(idle);
    const onClosed = (closed: ReceivingSocket): void => {
      this.#sockets.delete(closed);
      this.#idleOf(origin.origin).delete(closed);
    };
    const socket = new ReceivingSocket({ origin, tls: tls(origin), stallSeconds, onIdle, onClosed });
    this.#sockets.add(socket);
    return socket;
  }
}

/** `undefined` when it has what a request must not have: a token could bring it. */
function requestText({ url, headers }: WireRequest): string | undefined {
  const fields = Object.entries({ host: url.host, connection: "keep-alive", ...headers });
  if (!fields.every(([name, value]) => sendable.test(name) && sendable.test(value))) return undefined;
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
