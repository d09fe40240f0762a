import { createHash, type Hash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { contentMismatch } from "../../content/verified.ts";
import { digestFrom } from "../../model/digest.ts";
import { isFailure } from "../../model/failure.ts";
import { refusal, select, type Answer, type Content, type Headers, type JsonAnswer, type ByteRange } from "./answer.ts";
import type { BlockSums } from "./block-sums.ts";

interface Outcome {
  /** Of the body, as far as it got. */
  readonly bytes: number;
  /** Why it ended early. */
  readonly error?: unknown;
}

export interface RespondOptions {
  /** Of everything that this server has answered parts of. */
  readonly sums: BlockSums;
  readonly signal: AbortSignal;
}

/** Turns an answer into HTTP. Never throws: a body that fails half-way can only cut the connection. */
export async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  { sums, signal }: RespondOptions,
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
  return stream(request, response, { content, status, head, range, sums, signal });
}

function contentRange(selection: ByteRange | "whole", { size }: { readonly size: number }): Headers {
  return selection === "whole" ? {} : { "Content-Range": `bytes ${selection.first}-${selection.last}/${size}` };
}

interface Streaming {
  readonly content: Content;
  readonly status: number;
  readonly head: Headers;
  readonly range: ByteRange;
  readonly sums: BlockSums;
  readonly signal: AbortSignal;
}

async function stream(request: IncomingMessage, response: ServerResponse, streaming: Streaming): Promise<Outcome> {
  const { content, status, head, range, sums, signal } = streaming;
  let bytes = 0;
  try {
    await sendBody(response, content, {
      range,
      sums,
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

/** Nobody is there to answer any more; not a fault of what is served. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

interface BodyOptions {
  readonly range: ByteRange;
  readonly sums: BlockSums;
  /** Writes the head; called once the first bytes are there, so that what cannot be read at all is a plain error. */
  readonly begin: () => void;
  readonly onBytes: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Writes a range of `content` into `response`. The whole of it is hashed on the way, and its last bytes are written
 * only if the digest is right: a client that counts to Content-Length has then got what it asked for, or a cut
 * connection. Of a part no byte is written before it is known to be right.
 * @throws Failure CONTENT_MISMATCH, whatever the source throws, or ClientGone
 */
async function sendBody(response: ServerResponse, content: Content, options: BodyOptions): Promise<void> {
  const { range, signal } = options;
  const length = range.last - range.first + 1;
  const seal = length === content.size ? createHash("sha256") : undefined;
  let sent = 0;
  const source = seal === undefined ? options.sums.open(content, range, signal) : content.open(range.first, signal);
  for await (const chunk of source) {
    if (chunk.byteLength === 0) continue;
    const part = seal === undefined ? chunk.subarray(0, length - sent) : chunk;
    const last = sent + part.byteLength >= length;
    if (last && seal !== undefined) assertIs(content, sent + part.byteLength, seal.update(part));
    if (sent === 0) options.begin();
    const written = write(response, part, signal);
    // While the kernel sends. The buffer is the source's again only after the write is through.
    if (!last) seal?.update(part);
    await written;
    options.onBytes(part.byteLength);
    sent += part.byteLength;
    if (last) return;
  }
  throw mismatch(content, { size: range.first + sent });
}

function assertIs(content: Content, size: number, seal: Hash): void {
  const digest = digestFrom(seal);
  if (size !== content.size || digest !== content.digest) throw mismatch(content, { size, digest });
}

function mismatch({ size, digest }: Content, got: Parameters<typeof contentMismatch>[1]): Error {
  return contentMismatch({ mediaType: "", digest, size }, got, "bundle");
}

/** Resolves when the bytes left this process; a client that is gone rejects it, for its callback may never come. */
function write(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(signal.reason as Error);
    if (signal.aborted) gone();
    signal.addEventListener("abort", gone, { once: true });
    response.write(bytes, (error) => {
      signal.removeEventListener("abort", gone);
      if (error instanceof Error) reject(new ClientGone("write failed", { cause: error }));
      else resolve();
    });
  });
}
