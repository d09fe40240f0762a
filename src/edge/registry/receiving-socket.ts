import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { BodyQueue } from "./body-queue.ts";
import { maxHead, parseHead, type ResponseHead } from "./response-head.ts";
import { connectSeconds, StalledError, type WireResponse } from "./transport.ts";

/** Bytes of one read. */
const slotSize = 128 * 1024;
/** Buffers of a connection: one is read into, one is with the reader of the body, one waits between them. */
const slots = 3;
const headEnd = "\r\n\r\n";

/** An answer whose body's end is not said plainly, or that is none. */
export class UnsuitableAnswer extends Error {}

interface Exchange {
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: Error) => void;
  /** Stops listening for an abort. */
  readonly detach: () => void;
  /** What came of the head so far. */
  head: string;
  body: BodyQueue | undefined;
  /** Bytes of the body that are still to come. */
  rest: number;
}

export interface ReceivingSocketOptions {
  readonly origin: URL;
  readonly tls: ConnectionOptions;
  readonly stallSeconds: number;
  /** A body was received and read whole: the next request may come. */
  readonly onIdle: (socket: ReceivingSocket) => void;
  readonly onClosed: (socket: ReceivingSocket) => void;
}

/**
 * One connection, for one request at a time, that reads into memory of its own and uses it again. Clients that allocate
 * for each read (undici, http) spend more on memory and its collector than on receiving
 * (docs/facts/node.md#buffers-are-reused).
 */
export class ReceivingSocket {
  readonly #options: ReceivingSocketOptions;
  readonly #socket: Socket;
  readonly #free: Buffer[] = Array.from({ length: slots - 1 }, () => Buffer.allocUnsafeSlow(slotSize));
  #slot: Buffer = Buffer.allocUnsafeSlow(slotSize);
  #exchange: Exchange | undefined;
  #keepsAlive = true;
  #silent = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReceivingSocketOptions) {
    const { origin, tls } = options;
    this.#options = options;
    const host = origin.hostname.replace(/^\[|\]$/g, "");
    const secure = origin.protocol === "https:";
    const onread = { buffer: () => this.#slot, callback: (count: number) => this.#received(count) };
    const where = { host, port: Number(origin.port || (secure ? 443 : 80)), onread };
    const named = isIP(host) === 0 ? { servername: host } : {};
    const connect = (): Socket => connectTls({ ...tls, ...where, ...named, ALPNProtocols: ["http/1.1"] });
    this.#socket = secure ? connect() : connectPlain(where);
    this.#socket.setNoDelay(true);
    this.#socket.once(secure ? "secureConnect" : "connect", () => this.#patience(options.stallSeconds));
    this.#socket.on("error", (error) => this.destroy(error));
    this.#socket.on("close", () => {
      this.destroy(systemError("ECONNRESET", "closed before its end"));
      options.onClosed(this);
    });
  }

  get isUsable(): boolean {
    return this.#keepsAlive && !this.#socket.destroyed;
  }

  /** Nothing has come for the request that was sent last: the connection may have been closed before it. */
  get isSilent(): boolean {
    return this.#silent;
  }

  /** @throws UnsuitableAnswer, with the connection closed; what the network said; the abort reason */
  async ask(request: string, signal: AbortSignal | undefined): Promise<WireResponse> {
    signal?.throwIfAborted();
    const onAbort = (): void => this.destroy(signal?.reason as Error);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#silent = true;
    this.#patience(this.#socket.connecting ? connectSeconds : this.#options.stallSeconds);
    const response = new Promise<WireResponse>((resolve, reject) => {
      const detach = (): void => signal?.removeEventListener("abort", onAbort);
      this.#exchange = { resolve, reject, detach, head: "", body: undefined, rest: 0 };
    });
    this.#socket.write(request, "latin1");
    return await response.finally(() => clearTimeout(this.#timer));
  }

  destroy(reason: Error): void {
    const exchange = this.#end();
    this.#socket.destroy();
    if (exchange?.body === undefined) exchange?.reject(reason);
    else exchange.body.fail(reason);
  }

  #end(): Exchange | undefined {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.detach();
    return exchange;
  }

  #patience(seconds: number): void {
    clearTimeout(this.#timer);
    if (this.#exchange?.body !== undefined) return;
    this.#timer = setTimeout(() => {
      if (!this.#socket.connecting) this.destroy(new StalledError(seconds));
      else this.destroy(systemError("ETIMEDOUT", `no connection within ${seconds} s`));
    }, seconds * 1000);
  }

  /** @returns whether to read on; the buffer that is read into next is then `#slot` */
  #received(count: number): boolean {
    const exchange = this.#exchange;
    this.#silent = false;
    if (exchange === undefined) {
      // Nobody asked: what is glued to an answer could be taken for the next one.
      this.#socket.destroy();
      return false;
    }
    if (exchange.body !== undefined) return this.#take(exchange, exchange.body, 0, count);
    const before = exchange.head.length;
    exchange.head += this.#slot.toString("latin1", 0, count);
    const end = exchange.head.indexOf(headEnd);
    const head = end < 0 || end > maxHead ? undefined : parseHead(exchange.head.slice(0, end));
    if (head !== undefined) return this.#begin(exchange, head, end + headEnd.length - before, count);
    if (end < 0 && exchange.head.length <= maxHead) return true;
    this.destroy(new UnsuitableAnswer());
    return false;
  }

  #begin(exchange: Exchange, head: ResponseHead, from: number, to: number): boolean {
    const body = new BodyQueue(
      {
        // The queue need not slow the socket down: it stops reading as soon as no slot is free, which comes first.
        pause: () => undefined,
        resume: () => undefined,
        abort: () => this.destroy(new Error("body destroyed")),
        release: (chunk) => this.#release(chunk),
      },
      this.#options.stallSeconds,
    );
    exchange.body = body;
    exchange.rest = head.length;
    this.#keepsAlive = head.keepsAlive;
    exchange.resolve({ status: head.status, header: (name) => head.headers.get(name) ?? [], body });
    return this.#take(exchange, body, from, to);
  }

  #take(exchange: Exchange, body: BodyQueue, from: number, to: number): boolean {
    const size = Math.min(to - from, exchange.rest);
    if (size < to - from) this.#keepsAlive = false;
    exchange.rest -= size;
    if (size > 0) this.#handOn(body, from, from + size);
    if (exchange.rest === 0) {
      this.#end();
      body.end();
      this.#settle();
      return true;
    }
    return this.#free.length > 0;
  }

  #handOn(body: BodyQueue, from: number, to: number): void {
    const slot = this.#slot;
    // A free slot is there: reading goes on only while one is.
    this.#slot = this.#free.pop() ?? Buffer.allocUnsafeSlow(slotSize);
    body.add(slot.subarray(from, to));
  }

  #release({ buffer }: Uint8Array): void {
    const wasFull = this.#free.length === 0;
    this.#free.push(Buffer.from(buffer));
    if (this.#exchange === undefined) this.#settle();
    else if (wasFull) this.#socket.resume();
  }

  /** The next answer needs the memory that the reader of the last one may still look at. */
  #settle(): void {
    if (this.#free.length < slots - 1) return;
    if (!this.isUsable) this.#socket.destroy();
    else this.#options.onIdle(this);
  }
}

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
