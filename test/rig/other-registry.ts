import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { aDockerRegistry } from "./registry-process.ts";

/**
 * How products greet that are no Harbor (docs/facts/harbor.md#telling-registries-apart), before a real docker-registry.
 */
const greetings = {
  nexus: () => ({
    "www-authenticate": 'BASIC realm="Sonatype Nexus Repository Manager"',
    server: "Nexus/3.70.1-02 (OSS)",
    "docker-distribution-api-version": "registry/2.0",
  }),
  gitea: (origin: string) => ({
    "www-authenticate": `Bearer realm="${origin}/v2/token",service="container_registry",scope="*"`,
    "docker-distribution-api-version": "registry/2.0",
  }),
  zot: () => ({
    "www-authenticate": 'Basic realm="Authorization Required"',
    "docker-distribution-api-version": "registry/2.0",
  }),
  gitlab: (origin: string) => ({
    "www-authenticate": `Bearer realm="${origin}/jwt/auth",service="container_registry"`,
    "docker-distribution-api-version": "registry/2.0",
  }),
} as const;
export type Product = keyof typeof greetings;

export interface OtherRegistry extends AsyncDisposable {
  readonly host: string;
  readonly origin: string;
}

export interface OtherRegistryOptions {
  readonly product: Product;
  readonly user: string;
  readonly password: string;
  /** The account may pull and nothing else. */
  readonly readsOnly?: boolean;
}

export async function anotherRegistry(options: OtherRegistryOptions): Promise<OtherRegistry> {
  const registry = await aDockerRegistry();
  const server = http.createServer((request, response) => serve(options, registry.url, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    host,
    origin: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Opaque, as Gitea's are: nothing can be read in it. */
const token = "an-opaque-token";

function serve(
  { product, user, password, readsOnly = false }: OtherRegistryOptions,
  upstream: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { authorization = "", host = "" } = request.headers;
  const origin = `http://${host}`;
  const greeting = greetings[product](origin);
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const url = new URL(request.url ?? "/", origin);
  const answer = (status: number, headers: Readonly<Record<string, string>>, body: string): void => {
    request.resume();
    response.writeHead(status, headers).end(body);
  };
  if (url.pathname === "/v2/token" || url.pathname === "/jwt/auth") {
    if (authorization === basic) answer(200, { "content-type": "application/json" }, JSON.stringify({ token }));
    else answer(401, {}, "");
  } else if (!url.pathname.startsWith("/v2/")) answer(404, {}, "404 page not found");
  else if (![basic, `Bearer ${token}`].includes(authorization)) answer(401, greeting, '{"errors":[]}');
  else if (readsOnly && isWrite(request)) answer(403, {}, '{"errors":[]}');
  else forward(upstream, request, response);
}

const isWrite = ({ method = "" }: IncomingMessage): boolean => !["GET", "HEAD"].includes(method);

function forward(upstream: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url = "/", headers } = request;
  const known = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "authorization"));
  const onward = http.request(new URL(url, upstream), { method, headers: known, agent: false });
  onward.on("error", () => response.destroy());
  onward.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, response, () => undefined);
  });
  pipeline(request, onward, () => undefined);
}
