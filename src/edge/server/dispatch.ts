import type { IncomingMessage } from "node:http";
import { refusal, type Answer } from "./answer.ts";
import type { Operation, Served } from "./api.ts";
import type { Admits } from "./login.ts";
import { routes } from "./routes.ts";

export const openPath = "/healthz";

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
  return route.operation(served, { path, ...route.named, query: new URLSearchParams(query.join("?")), accept });
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
