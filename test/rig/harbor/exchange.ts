import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HarborState } from "./state.ts";

/** One request and its answer, with what Harbor puts on every reply. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly state: HarborState;
  /** `https://host:port`, as the client came in. */
  readonly origin: string;
}

export function commonHeaders({ request, state }: Exchange): Record<string, string> {
  const id = request.headers["x-request-id"];
  return {
    "x-request-id": typeof id === "string" ? id : randomUUID(),
    "set-cookie": `sid=${randomUUID().replaceAll("-", "")}; Path=/; HttpOnly`,
    date: new Date(Date.now() + state.switches.clockSkew * 1000).toUTCString(),
  };
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
}

/** What a handler decided; `answered` when the registry behind has spoken, or the line is dead. */
export type Outcome = Reply | "answered";

export function send(exchange: Exchange, { status, headers = {}, json, text = "" }: Reply): void {
  const { response } = exchange;
  const body = json === undefined ? text : `${JSON.stringify(json)}\n`;
  const type = json === undefined ? "text/plain; charset=utf-8" : "application/json; charset=utf-8";
  response.writeHead(status, {
    ...commonHeaders(exchange),
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(exchange.request.method === "HEAD" ? undefined : body);
}

/** Harbor's own dialect (docs/facts/harbor.md#two-dialects-of-errors). */
export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, json: { errors: [{ code, message }] } };
}

/** What a front proxy says when it says no itself. */
export function page(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  const text = `<html>\r\n<head><title>${String(status)}</title></head>\r\n<body><center>nginx</center></body>\r\n</html>`;
  return { status, text, headers: { "content-type": "text/html", ...headers } };
}

export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
