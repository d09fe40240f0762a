import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { refusal, type Answer } from "./answer.ts";
import {
  answerBlob,
  answerManifest,
  answerPluginFile,
  health,
  answerReferrers,
  answerRepositories,
  answerTags,
  answerHome,
  version,
  type Operation,
  type Served,
} from "./operations.ts";

const openPath = "/healthz";

/** From a request line to an answer; nothing is read or written yet. */
export function dispatch(served: Served, admits: Admits | undefined, request: IncomingMessage): Answer {
  const [rawPath = "", ...query] = (request.url ?? "").split("?");
  const path = decoded(rawPath);
  if (path !== openPath && admits?.(request.headers.authorization) === false)
    return refusal("UNAUTHORIZED", {}, { "WWW-Authenticate": 'Basic realm="higress-airgap", charset="UTF-8"' });
  if (request.method !== "GET" && request.method !== "HEAD")
    return refusal("UNSUPPORTED", { method: request.method }, { Allow: "GET, HEAD" });
  const route = path === undefined ? undefined : find(path);
  if (path === undefined || route === undefined) return refusal("NOT_FOUND");
  const { accept } = request.headers;
  const host = hostOf(request);
  return route.operation(served, { path, ...route.named, query: new URLSearchParams(query.join("?")), accept, host });
}

/** The Host header is printed on a page, so it is a name or an address with its port, or nothing. */
function hostOf({ headers: { host = "" } }: IncomingMessage): string | undefined {
  return /^[\w.-]{1,253}(:\d{1,5})?$|^\[[\da-f:.]{2,45}\](:\d{1,5})?$/i.test(host) ? host : undefined;
}

function find(path: string): { operation: Operation; named: { name: string; item: string } } | undefined {
  for (const { path: pattern, operation } of routes) {
    const match = pattern.exec(path);
    if (match !== null) return { operation, named: { name: "", item: "", ...match.groups } };
  }
  return undefined;
}

/** `%3A` in a digest is what some clients send. Not decoded twice, and never a path of a file system. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A path and who answers it, for GET and HEAD. There are no other methods: nothing here can change anything. */
interface Route {
  readonly path: RegExp;
  readonly operation: Operation;
}

/** The whole API. First match wins; a `:` is in digests only, and repositories are looked up, never opened as paths. */
const routes: readonly Route[] = [
  { path: /^\/healthz$/, operation: health },
  { path: /^\/$/, operation: answerHome },
  { path: /^\/v2\/?$/, operation: version },
  { path: /^\/v2\/_catalog$/, operation: answerRepositories },
  { path: /^\/v2\/(?<name>.+)\/tags\/list$/, operation: answerTags },
  { path: /^\/v2\/(?<name>.+)\/manifests\/(?<item>[^/]+)$/, operation: answerManifest },
  { path: /^\/v2\/(?<name>.+)\/blobs\/(?<item>[^/]+)$/, operation: answerBlob },
  { path: /^\/v2\/(?<name>.+)\/referrers\/(?<item>[^/]+)$/, operation: answerReferrers },
  { path: /^\/plugins\/.*?(?<item>[^/]+)$/, operation: answerPluginFile },
  { path: /^\/(?<item>[^/]+\.wasm)$/, operation: answerPluginFile },
];

export interface AdmittedLogin {
  readonly username: string;
  readonly password: string;
}

/** Whether an Authorization header (RFC 7617) is this login; takes as long for a near miss as for nonsense. */
export type Admits = (authorization: string | undefined) => boolean;

export function basicLogin({ username, password }: AdmittedLogin): Admits {
  // Both become hashes of one length under a random key: how long the comparison takes tells nothing.
  const key = randomBytes(32);
  const mark = (text: string): Buffer => createHmac("sha256", key).update(text).digest();
  const wanted = mark(`${username}:${password}`);
  return (authorization) => {
    const given = /^Basic ([A-Za-z0-9+/=]{1,4096})$/i.exec(authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(mark(Buffer.from(given, "base64").toString("utf8")), wanted);
  };
}
