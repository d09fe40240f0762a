import type { IncomingMessage, ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

/** What can go wrong on one request. Offsets count bytes of the body: of the answer, or of an upload where it has one. */
export type Fault =
  | {
      readonly type: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection is closed before an answer. */
  | { readonly type: "reset" }
  /** The connection is closed in the body. */
  | { readonly type: "cut"; readonly at: number }
  /** The body ends early, properly. */
  | { readonly type: "truncate"; readonly at: number }
  /** The body goes on after its end, and nothing says how long it is. */
  | { readonly type: "longer"; readonly by: number }
  /** One bit is another. */
  | { readonly type: "flip"; readonly at: number }
  /** After `at` bytes nothing more comes, and the connection stays open. */
  | { readonly type: "stall"; readonly at: number }
  /** As a stall, with one byte every 20 ms to look alive. */
  | { readonly type: "drip"; readonly at: number }
  /** Content-Length says that many bytes more. */
  | { readonly type: "length"; readonly more: number }
  /** The same path at another origin. */
  | { readonly type: "redirect"; readonly origin: string }
  | { readonly type: "headers"; readonly headers: Readonly<Record<string, string>> }
  /** Says another Location, as a registry does that does not know its own name. */
  | { readonly type: "location"; readonly rewrite: (location: URL) => string }
  /** Does not know about ranges: the whole body, and 200. */
  | { readonly type: "rangeless" };

/** Changes a stream of bytes as the fault says. `close` ends the connection under it. */
export function distortion(fault: Fault | undefined, close: () => void): Transform {
  let seen = 0;
  let last: Buffer | undefined;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (fault?.type === "longer") {
        done(null, last);
        last = chunk;
        return;
      }
      const start = seen;
      seen += chunk.byteLength;
      const inside = fault !== undefined && "at" in fault && fault.at < seen;
      if (!inside) {
        done(null, chunk);
        return;
      }
      const before = chunk.subarray(0, Math.max(0, fault.at - start));
      if (fault.type === "flip") {
        done(null, flippedAt(chunk, fault.at - start));
        return;
      }
      if (before.byteLength > 0) this.push(before);
      // `done` is never called: nothing more passes.
      if (fault.type === "truncate") this.push(null);
      if (fault.type === "cut") void afterTurns(close);
      if (fault.type === "drip") dripInto(this, chunk.subarray(before.byteLength));
    },
    flush(done) {
      // In one piece with what came before: its reader sees both at once.
      done(null, fault?.type === "longer" ? Buffer.concat([last ?? Buffer.of(), Buffer.alloc(fault.by)]) : undefined);
    },
  });
}

/** A reset takes along what the other end has not read yet; one in this process has, some turns of its loop later. */
async function afterTurns(close: () => void): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await turn();
  close();
}

function flippedAt(chunk: Buffer, at: number): Buffer {
  if (at < 0) return chunk;
  const copy = Buffer.from(chunk);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

function dripInto(stream: Transform, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    if (stream.destroyed || at >= bytes.byteLength) clearInterval(timer);
    else stream.push(bytes.subarray(at, (at += 1)));
  }, 20);
  stream.on("close", () => clearInterval(timer));
}

/** Bodies whose length is another than the one that was said. */
const unsaid: readonly Fault["type"][] = ["truncate", "longer"];

/** Headers of an answer under a fault. A truncated body must not say how long it should have been. */
export function distortedHeaders(
  fault: Fault | undefined,
  upstream: IncomingMessage,
): Record<string, string | string[]> {
  const headers = Object.fromEntries(
    Object.entries(upstream.headers).filter(([, value]) => value !== undefined),
  ) as Record<string, string | string[]>;
  const length = Number(headers["content-length"] ?? "NaN");
  if (unsaid.some((type) => type === fault?.type)) delete headers["content-length"];
  if (fault?.type === "length" && !Number.isNaN(length)) headers["content-length"] = String(length + fault.more);
  if (fault?.type === "location") headers["location"] = fault.rewrite(new URL(String(headers["location"])));
  return fault?.type === "headers" ? { ...headers, ...fault.headers } : headers;
}

/** Answers without asking anybody; false for faults of a body, which need one. */
export function answeredAlone(fault: Fault, request: IncomingMessage, response: ServerResponse): boolean {
  if (fault.type === "status") {
    request.resume();
    const body = request.method === "HEAD" ? "" : (fault.body ?? "");
    response.writeHead(fault.status, { "content-length": String(Buffer.byteLength(body)), ...fault.headers }).end(body);
  } else if (fault.type === "reset") request.socket.resetAndDestroy();
  else if (fault.type === "redirect") {
    request.resume();
    response.writeHead(307, { location: `${fault.origin}${request.url ?? ""}`, "content-length": "0" }).end();
  } else return false;
  return true;
}
