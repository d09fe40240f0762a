import type { IncomingMessage, ServerResponse } from "node:http";
import { isFailure } from "../../model/failure.ts";
import { refusal, type Answer, type Content, type Headers, type JsonAnswer } from "./answer.ts";
import { sendBody } from "./body.ts";
import { select } from "./conditional.ts";
import type { ByteRange } from "./range.ts";

export interface Outcome {
  /** Of the body, as far as it got. */
  readonly bytes: number;
  /** Why it ended early. */
  readonly error?: unknown;
}

/** Turns an answer into HTTP. Never throws: a body that fails half-way can only cut the connection. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  signal: AbortSignal,
): Promise<Outcome> {
  if (answer.kind === "json") return sendJson(request, response, answer);
  const { content, headers } = answer;
  const etag = `"${content.digest}"`;
  const base = { ...headers, ETag: etag, "Accept-Ranges": "bytes" };
  const whole: ByteRange = { first: 0, last: content.size - 1 };
  const isGet = request.method === "GET";
  const selection = select(isGet ? request.headers : { ...request.headers, range: undefined }, etag, content.size);
  if (selection === "unmodified") return end(response, 304, base);
  if (selection === "unsatisfiable")
    return end(response, 416, { ...base, "Content-Length": "0", "Content-Range": `bytes */${content.size}` });
  const range = selection === "whole" ? whole : selection;
  const status = selection === "whole" ? 200 : 206;
  const head = { ...base, "Content-Length": String(range.last - range.first + 1), ...contentRange(selection, content) };
  if (!isGet || content.size === 0) return end(response, status, head);
  return stream(request, response, { content, status, head, range, signal });
}

function contentRange(selection: ByteRange | "whole", { size }: { readonly size: number }): Headers {
  return selection === "whole" ? {} : { "Content-Range": `bytes ${selection.first}-${selection.last}/${size}` };
}

interface Streaming {
  readonly content: Content;
  readonly status: number;
  readonly head: Headers;
  readonly range: ByteRange;
  readonly signal: AbortSignal;
}

async function stream(request: IncomingMessage, response: ServerResponse, streaming: Streaming): Promise<Outcome> {
  const { content, status, head, range, signal } = streaming;
  let bytes = 0;
  try {
    await sendBody(response, content, {
      range,
      begin: () => response.writeHead(status, head),
      onBytes: (more) => (bytes += more),
      signal,
    });
    response.end();
    return { bytes };
  } catch (error) {
    if (response.headersSent || signal.aborted) response.destroy();
    else sendJson(request, response, unreadable(error));
    return { bytes, error };
  }
}

/** A delta bundle names blobs that it does not carry; anything else is damage. */
function unreadable(error: unknown): JsonAnswer {
  const failure = isFailure(error) ? error.code : "error";
  return refusal(failure === "CONTENT_MISSING" ? "BLOB_UNKNOWN" : "UNAVAILABLE", { failure });
}

function sendJson(request: IncomingMessage, response: ServerResponse, answer: JsonAnswer): Outcome {
  const body = Buffer.from(`${JSON.stringify(answer.value)}\n`);
  const type = { "Content-Type": "application/json", "Content-Length": String(body.length) };
  response.writeHead(answer.status, { ...type, ...answer.headers });
  response.end(request.method === "HEAD" ? undefined : body);
  return { bytes: request.method === "HEAD" ? 0 : body.length };
}

function end(response: ServerResponse, status: number, headers: Headers): Outcome {
  response.writeHead(status, headers);
  response.end();
  return { bytes: 0 };
}
