import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { BodyQueue } from "./body-queue.ts";
import { maxHead, parseHead, type ResponseHead } from "./response-head.ts";
import { connectSeconds, StalledError, type WireResponse } from "./transport.ts";

/** Bytes of one read. */
const slotSize = 128 * 1024;
/**
 * Buffers of a connection: one is read into, one is with the reader of the body, one waits between them. Node's TLS gives one
 * record at a time, and does not stop before all that it has decrypted is given, 80 KiB at most: records share a slot, and
 * with one free slot there is room for them.
 */
const slots = 3;
/** With less room than this the next slot is read into. */
const smallestRead = 64 * 1024;
const headEnd = "\r\n\r\n";

/** An answer whose body's end is not said plainly, or that is none. */
export class UnsuitableAnswer extends Error {}

interface Slot {
  readonly memory: Buffer;
  /** Bytes at its start that were read into. */
  filled: number;
  /** How many pieces of it the reader of the body has, or will have. */
  lent: number;
}

function aSlot(): Slot {
  return { memory: Buffer.allocUnsafeSlow(slotSize), filled: 0, lent: 0 };
}

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
  readonly #free: Slot[] = Array.from({ length: slots - 1 }, aSlot);
  /** Full slots that are not free yet, by their memory. */
  readonly #full = new Map<ArrayBufferLike, Slot>();
  #slot: Slot = aSlot();
  #exchange: Exchange | undefined;
  #keepsAlive = true;
  #silent = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReceivingSocketOptions) {
    const { origin, tls } = options;
    this.#options = options;
    const host = origin.hostname.replace(/^\[|\]$/g, "");
    const secure = origin.protocol === "https:";
    const onread = {
      buffer: () => this.#room(),
      callback: (count: number, into: Uint8Array) => this.#received(into.subarray(0, count)),
    };
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

  /** The connection stands, and nobody waits for an answer over it or reads one. */
  get isUsable(): boolean {
    return this.#keepsAlive && !this.#socket.destroyed && this.#exchange === undefined && !this.#isLent;
  }

  /** Nothing has come for the request that was sent last: the connection may have been closed before it. */
  get isSilent(): boolean {
    return this.#silent;
  }

  /** @throws UnsuitableAnswer, with the connection closed; what the network said; the abort reason */
  async ask(request: string, signal: AbortSignal | undefined): Promise<WireResponse> {
    signal?.throwIfAborted();
    if (this.#exchange !== undefined || this.#isLent) throw new Error("The connection is busy");
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

  get #isLent(): boolean {
    return this.#full.size > 0 || this.#slot.lent > 0;
  }

  /** Where the next bytes are read into. */
  #room(): Buffer {
    if (this.#slot.lent === 0) this.#slot.filled = 0;
    return this.#slot.memory.subarray(this.#slot.filled);
  }

  /** @returns whether to read on */
  #received(bytes: Uint8Array): boolean {
    const exchange = this.#exchange;
    this.#silent = false;
    if (exchange === undefined) {
      // Nobody asked: what is glued to an answer could be taken for the next one.
      this.#socket.destroy();
      return false;
    }
    if (exchange.body !== undefined) return this.#take(exchange, exchange.body, bytes);
    const before = exchange.head.length;
    exchange.head += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const end = exchange.head.indexOf(headEnd);
    const head = end < 0 || end > maxHead ? undefined : parseHead(exchange.head.slice(0, end));
    if (head !== undefined) return this.#begin(exchange, head, bytes.subarray(end + headEnd.length - before));
    if (end < 0 && exchange.head.length <= maxHead) return true;
    this.destroy(new UnsuitableAnswer());
    return false;
  }

  #begin(exchange: Exchange, head: ResponseHead, bytes: Uint8Array): boolean {
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
    return this.#take(exchange, body, bytes);
  }

  #take(exchange: Exchange, body: BodyQueue, bytes: Uint8Array): boolean {
    const mine = bytes.subarray(0, exchange.rest);
    if (mine.byteLength < bytes.byteLength) this.#keepsAlive = false;
    exchange.rest -= mine.byteLength;
    if (mine.byteLength > 0) this.#handOn(body, mine);
    if (exchange.rest === 0) {
      this.#end();
      body.end();
      if (!this.#isLent) this.#settle();
      return true;
    }
    return this.#free.length > 0;
  }

  #handOn(body: BodyQueue, bytes: Uint8Array): void {
    const slot = this.#slot;
    slot.filled = bytes.byteOffset + bytes.byteLength;
    slot.lent += 1;
    if (slotSize - slot.filled < smallestRead) {
      this.#full.set(slot.memory.buffer, slot);
      this.#slot = this.#free.pop() ?? aSlot();
    }
    body.add(bytes);
  }

  #release({ buffer }: Uint8Array): void {
    const slot = this.#full.get(buffer) ?? this.#slot;
    const wasFull = this.#free.length === 0;
    slot.lent -= 1;
    if (slot.lent === 0 && this.#full.delete(buffer) && this.#free.length < slots - 1) this.#free.push(slot);
    if (this.#exchange === undefined) {
      if (!this.#isLent) this.#settle();
    } else if (wasFull && this.#free.length > 0) this.#socket.resume();
  }

  /** The next answer needs the memory that the reader of the last one may still look at: nobody does any more. */
  #settle(): void {
    if (!this.isUsable) {
      this.#socket.destroy();
      return;
    }
    // TLS may have given the end after it was told to stop.
    this.#socket.resume();
    this.#options.onIdle(this);
  }
}

function systemError(code: string, text: string): Error {
  return Object.assign(new Error(text), { code });
}
