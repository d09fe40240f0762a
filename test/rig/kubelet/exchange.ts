import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import https from "node:https";

/** One HTTP request of the fake kubelet; node:http because fetch cannot be given a private CA or a server name. */
export interface Request {
  readonly url: URL;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ca?: string | undefined;
  /** The name to verify the certificate for when it is not the address in `url`. */
  readonly servername?: string;
  readonly agent?: https.Agent;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Rejects only when there is no answer at all; a status of any kind is an answer. */
export async function exchange(request: Request): Promise<Answer> {
  const response = await open(request);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? "",
    headers: response.headers,
    body: Buffer.concat(chunks),
  };
}

/** The response with its body still to be read; the caller reads it to the end or destroys it. */
export function open({ url, method, headers, body, ca, servername, agent, signal }: Request): Promise<IncomingMessage> {
  const tls = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (tls ? https : http).request(
      url,
      {
        method,
        headers: {
          ...headers,
          // A DELETE with a body and chunked encoding is answered 400 by the API server.
          ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
        },
        ...(tls && ca !== undefined && { ca }),
        ...(tls && servername !== undefined && { servername }),
        ...(tls && agent !== undefined && { agent }),
        ...(signal !== undefined && { signal }),
      },
      resolve,
    );
    request.once("error", reject);
    request.end(body);
  });
}
