import { request as httpRequest, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { commonHeaders, type Exchange } from "./exchange.ts";

export interface ForwardOptions {
  /** Sent instead of the request's own body. */
  readonly body?: Uint8Array;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Said with the answer, when it is good. */
  readonly adding?: Readonly<Record<string, string>>;
  /** Told how many bytes of the body passed. */
  readonly onBytes?: (bytes: number) => void;
}

/** Passes a request to the registry behind Harbor and its answer back, as core's reverse proxy does. */
export class Backend {
  readonly #host: string;

  constructor(host: string) {
    this.#host = host;
  }

  /** `forward`, where nothing depends on how it went. */
  async pass(exchange: Exchange, options?: ForwardOptions): Promise<"answered"> {
    await this.forward(exchange, options);
    return "answered";
  }

  /** Answers the client, and says with which status. */
  async forward(exchange: Exchange, options: ForwardOptions = {}): Promise<number> {
    const answer = await this.#ask(exchange, options);
    const { response, state, origin } = exchange;
    const adding = (answer.statusCode ?? 502) < 300 ? options.adding : {};
    const headers = { ...answer.headers, ...commonHeaders(exchange), ...adding } as Record<string, string | string[]>;
    const location = answer.headers.location;
    if (location !== undefined) headers["location"] = rewritten(location, origin, state.switches);
    response.writeHead(answer.statusCode ?? 502, headers);
    await pipeline(answer, response);
    return answer.statusCode ?? 502;
  }

  /** A blob, as core reads it when it looks into an artifact; undefined where there is none. */
  async blob(repository: string, digest: string): Promise<string | undefined> {
    const answer = await fetch(`http://${this.#host}/v2/${repository}/blobs/${digest}`);
    return answer.ok ? answer.text() : undefined;
  }

  #ask(exchange: Exchange, { body, path, headers = {}, onBytes }: ForwardOptions): Promise<IncomingMessage> {
    const { request, origin } = exchange;
    const [host = "", port = ""] = this.#host.split(":");
    const kept = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== "authorization"));
    const own = body === undefined ? {} : { "content-length": String(body.byteLength) };
    const asked = httpRequest({
      host,
      port,
      method: request.method,
      path: path ?? request.url,
      headers: {
        ...kept,
        ...own,
        ...headers,
        host: new URL(origin).host,
        "x-forwarded-proto": new URL(origin).protocol.slice(0, -1),
      },
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      asked.once("response", resolve);
      asked.once("error", reject);
    });
    if (body !== undefined) asked.end(body);
    else {
      request.on("data", (chunk: Buffer) => onBytes?.(chunk.byteLength));
      // An upload that the client broke off breaks here too.
      request.once("aborted", () => asked.destroy());
      request.pipe(asked);
    }
    return answered;
  }
}

function rewritten(
  location: string,
  origin: string,
  { locationScheme, relativeLocations }: { locationScheme: string | undefined; relativeLocations: boolean },
): string {
  const url = new URL(location, origin);
  if (relativeLocations) return `${url.pathname}${url.search}`;
  return locationScheme === undefined ? url.href : `${locationScheme}://${url.host}${url.pathname}${url.search}`;
}
