import { once } from "node:events";
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { answeredAlone, distortedHeaders, distortion, type Fault } from "./fault.ts";
import { TokenService, type Reply, type TokenServiceOptions } from "./token-service.ts";

export type { Fault } from "./fault.ts";

/** The network steps of a client, as a fault names them. */
export type Step =
  | "ping"
  | "token"
  | "blob.head"
  | "blob.get"
  | "upload.post"
  | "upload.patch"
  | "upload.put"
  | "manifest.head"
  | "manifest.get"
  | "manifest.put"
  | "tags"
  | "referrers"
  | "other";

export interface Seen {
  readonly step: Step;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Bytes of the request's body that came; final once the answer is out. */
  bytes: number;
}

export interface FaultServerOptions {
  /** The registry behind it: `http://127.0.0.1:port`. */
  readonly upstream: string;
  /** Asks for Bearer tokens and gives them out; the registry behind is open. */
  readonly tokens?: TokenServiceOptions;
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A real server before a real registry that fails as told. */
export interface FaultServer extends AsyncDisposable {
  readonly origin: string;
  readonly host: string;
  /** Every request, in order. */
  readonly requests: readonly Seen[];
  readonly tokens: TokenService | undefined;
  /** The next `times` requests of that step, with `about` in their path, fail so; faults of one step queue up. */
  failNext(step: Step, fault: Fault, times?: number, about?: string): void;
  count(step: Step): number;
}

interface Planned {
  readonly step: Step;
  readonly fault: Fault;
  readonly about: string;
  times: number;
}

export async function aFaultServer(options: FaultServerOptions): Promise<FaultServer> {
  const scripted: Planned[] = [];
  const requests: Seen[] = [];
  const tokens = options.tokens === undefined ? undefined : new TokenService(options.tokens);
  const takeFault = (step: Step, path: string): Fault | undefined => {
    const entry = scripted.find((each) => each.step === step && each.times > 0 && path.includes(each.about));
    if (entry !== undefined) entry.times -= 1;
    return entry?.fault;
  };
  let origin = "";
  const listener: RequestListener = (request, response) => {
    const url = new URL(`${origin}${request.url ?? "/"}`);
    const step = stepOf(request.method ?? "", url.pathname, tokens?.path);
    const { method = "", headers } = request;
    const seen: Seen = { step, method, path: `${url.pathname}${url.search}`, headers, bytes: 0 };
    requests.push(seen);
    // A client that goes away in the middle is what these tests are about.
    response.on("error", () => undefined);
    request.on("error", () => undefined);
    const refusal = step === "token" ? undefined : tokens?.check(request, origin, scopeOf(url.pathname, method));
    if (refusal !== undefined) {
      reply(request, response, refusal);
      return;
    }
    const fault = takeFault(step, url.pathname);
    if (fault !== undefined && answeredAlone(fault, request, response)) return;
    if (step === "token" && tokens !== undefined) answerToken(request, response, tokens.answer(request, url), fault);
    else forward({ upstream: options.upstream, request, response, fault, seen });
  };
  const server = options.tls === undefined ? http.createServer(listener) : https.createServer(options.tls, listener);
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  origin = `${options.tls === undefined ? "http" : "https"}://${host}`;
  return {
    origin,
    host,
    requests,
    tokens,
    failNext: (step, fault, times = 1, about = "") => void scripted.push({ step, fault, times, about }),
    count: (step) => requests.filter((each) => each.step === step).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function stepOf(method: string, path: string, tokenPath: string | undefined): Step {
  if (path === "/v2/") return "ping";
  if (path === tokenPath) return "token";
  if (/\/tags\/list$/.test(path)) return "tags";
  if (/\/referrers\//.test(path)) return "referrers";
  const verb = method.toLowerCase();
  const kind = /\/(blobs\/uploads|blobs|manifests)\//.exec(path)?.[1];
  const step = `${kind === "blobs/uploads" ? "upload" : kind === "blobs" ? "blob" : "manifest"}.${verb}`;
  return kind === undefined ? "other" : (step as Step);
}

function scopeOf(path: string, method: string): string {
  const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(path)?.[1];
  const actions = method === "GET" || method === "HEAD" ? "pull" : "pull,push";
  return name === undefined ? "registry:catalog:*" : `repository:${name}:${actions}`;
}

function reply(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
  request.resume();
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? "" : body);
}

function answerToken(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Reply,
  fault: Fault | undefined,
): void {
  request.resume();
  const more = fault?.type === "length" ? fault.more : 0;
  const length = Buffer.byteLength(answer.body) + more;
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(fault?.type === "truncate" ? {} : { "content-length": length }),
  });
  const body = distortion(fault, () => response.socket?.resetAndDestroy());
  pipeline(body, response, () => (more > 0 ? request.socket.destroy() : undefined));
  body.end(answer.body);
}

interface Forwarding {
  readonly upstream: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: Fault | undefined;
  readonly seen: Seen;
}

/** A fault of a body is one of the upload where there is one, else of the answer. */
function forward({ upstream, request, response, fault, seen }: Forwarding): void {
  const uploading = ["PUT", "PATCH", "POST"].includes(request.method ?? "");
  const close = (): void => void request.socket.resetAndDestroy();
  const { method, headers, url = "/" } = request;
  // As `path`: joined to the address, a path with two slashes before it would name another host.
  const options = { method, path: url, headers: onwardHeaders(headers, fault), agent: false };
  const onward = http.request(upstream, options);
  onward.on("error", close);
  response.on("close", () => onward.destroy());
  onward.on("response", (answer) => {
    if (uploading && fault?.type === "stall") return void answer.resume();
    response.writeHead(answer.statusCode ?? 502, distortedHeaders(fault, answer));
    const body = distortion(uploading ? undefined : fault, close);
    pipeline(answer, body, response, () => (fault?.type === "length" ? request.socket.destroy() : undefined));
  });
  const upload = distortion(uploading ? fault : undefined, close);
  request.on("data", (chunk: Buffer) => (seen.bytes += chunk.byteLength));
  pipeline(request, upload, onward, () => undefined);
}

/** The registry behind is open, and a Host of ours makes its Locations ours. */
function onwardHeaders(headers: IncomingMessage["headers"], fault: Fault | undefined): IncomingMessage["headers"] {
  const left = fault?.type === "rangeless" ? ["authorization", "range", "if-range"] : ["authorization"];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.includes(name)));
}
