export type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH";

export interface WireRequest {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of body that a good answer will have, where the caller knows. */
  readonly expects?: number | undefined;
}

/**
 * Must be read to its end, drained, or destroyed: a body that is left alone keeps its socket. A chunk is the reader's
 * only until it asks for the next.
 */
export interface WireBody extends AsyncIterable<Uint8Array> {
  /** Reads a short rest, so that the connection serves again; a long one is cut. Never throws. */
  drain(): Promise<void>;
  destroy(): void;
}

export interface WireResponse {
  readonly status: number;
  /** All values of a header, by its lower-case name. */
  header(name: string): readonly string[];
  readonly body: WireBody;
}

/** Sends exactly one request: no redirects, no retries, no credentials of its own. The one place to swap for a faster one. */
export interface Transport {
  /** @throws what the network said; the abort reason when `signal` fired */
  send(request: WireRequest): Promise<WireResponse>;
  close(): Promise<void>;
}

/** How long a connection may take to be there, TLS included. */
export const connectSeconds = 10;

/** Nothing, or next to nothing, came for that long while somebody waited for it. */
export class StalledError extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super(`no bytes for ${seconds} s`);
    this.name = "StalledError";
    this.seconds = seconds;
  }
}
