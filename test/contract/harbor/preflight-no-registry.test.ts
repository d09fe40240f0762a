import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasErrors } from "../../../src/model/finding.ts";
import { aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import { codes, factsOf, preflight, puller, pusher } from "../../rig/harbor/preflight.ts";
import { dockerRegistryUnavailable } from "../../rig/registry-process.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, origin: string) => void;

async function aServer(answer: Answer) {
  let origin = "";
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response, origin);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  origin = `http://${host}`;
  return {
    host,
    origin,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise<void>((done) => server.close(() => done()));
    },
  };
}

const says =
  (status: number, type: string, body: string): Answer =>
  (request, response) =>
    void response.writeHead(status, { "content-type": type }).end(request.method === "HEAD" ? "" : body);
const nginx = (status: string): string =>
  `<html>\r\n<head><title>${status}</title></head>\r\n<body>\r\n<center><h1>${status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;

/** Wants tokens of a service that answers with `token`. */
const bearer =
  (token: Answer): Answer =>
  (request, response, origin) => {
    const { url = "" } = request;
    response.setHeader("www-authenticate", `Bearer realm="${origin}/service/token",service="harbor-registry"`);
    if (url.startsWith("/service/token")) token(request, response, origin);
    else if (url.startsWith("/api/")) says(200, "text/plain", "Pong")(request, response, origin);
    else says(401, "text/plain", "")(request, response, origin);
  };

const ask = async (at: { readonly host: string; readonly origin: string }) =>
  (await preflight({ at, as: pusher, pull: puller })).findings;

describe("preflightRegistry where no registry answers", () => {
  it.each<[string, Answer, string, unknown]>([
    [
      "a portal",
      says(200, "text/html; charset=utf-8", "<!doctype html><title>Log in</title><p>Please log in</p>"),
      "registry.none",
      { status: 200, answer: "Log in Please log in" },
    ],
    [
      "a page that calls itself text",
      says(200, "text/plain", "<p>Index of /v2/</p>"),
      "registry.none",
      { status: 200 },
    ],
    [
      "an ingress that does not know the name",
      says(404, "text/plain", "default backend - 404"),
      "registry.none",
      { status: 404, answer: "default backend - 404" },
    ],
    [
      "a login page by redirect",
      (_request, response) =>
        void response.writeHead(302, { location: "https://sso.corp.example/login?to=/v2/" }).end(),
      "registry.none",
      { status: 302, answer: "https://sso.corp.example/login?to=/v2/" },
    ],
    [
      "a port that wants https",
      says(400, "text/html", nginx("400 The plain HTTP request was sent to HTTPS port")),
      "registry.other-scheme",
      {},
    ],
    [
      "a port that wants https, of a Go program",
      says(400, "text/plain", "Client sent an HTTP request to an HTTPS server.\n"),
      "registry.other-scheme",
      {},
    ],
    ["a proxy whose core is down", says(502, "text/html", nginx("502 Bad Gateway")), "registry.down", { status: 502 }],
    ["a proxy without a backend", says(503, "text/html", nginx("503 Service")), "registry.down", { status: 503 }],
    ["a 401 that says no way in", says(401, "text/html", nginx("401")), "registry.none", { status: 401 }],
    ["a 403 of a firewall", says(403, "text/html", nginx("403 Forbidden")), "registry.none", { status: 403 }],
    [
      "a token service without its database",
      bearer(says(500, "text/html", nginx("500 Internal Server Error"))),
      "registry.token-service",
      { reason: expect.stringMatching(/^REGISTRY_BUSY 500/) as unknown },
    ],
    [
      "a token service that is a page",
      bearer(says(200, "text/html", "<p>welcome</p>")),
      "registry.token-service",
      { reason: expect.stringMatching(/^REGISTRY_PROTOCOL/) as unknown },
    ],
    [
      "a proxy that takes the header out",
      bearer(says(200, "application/json", JSON.stringify({ token: "h.e30.s", expires_in: 300 }))),
      "registry.token-refused",
      { as: pusher.name, why: "401 Unauthorized" },
    ],
    [
      "a token service that is somewhere else",
      bearer(says(404, "text/html", nginx("404 Not Found"))),
      "registry.token-service",
      { reason: expect.stringMatching(/^REGISTRY_NOT_FOUND/) as unknown },
    ],
  ])("%s is one error, with what was seen", async (_name, answer, code, facts) => {
    await using server = await aServer(answer);
    const findings = await ask(server);
    expect(codes(findings).filter((each) => each.startsWith("error"))).toEqual([`error ${code}`]);
    expect(factsOf(findings, code)).toMatchObject({ host: server.host, ...(facts as object) });
    expect(factsOf(findings, "registry.not-asked")).toMatchObject({ question: "all" });
    expect(JSON.stringify(findings)).not.toContain("planted");
  });

  it("a token service that never answers is one error", async () => {
    await using server = await aServer(bearer(() => undefined));
    const { findings } = await preflight({ at: server, stallSeconds: 0.3 });
    expect(codes(findings).filter((each) => each.startsWith("error"))).toEqual(["error registry.token-service"]);
  });

  it("a file server is no registry: it does not know HEAD", async () => {
    await using server = await aServer((request, response, origin) =>
      request.method === "GET"
        ? says(200, "application/json", "{}")(request, response, origin)
        : says(405, "text/plain", "Method Not Allowed")(request, response, origin),
    );
    const findings = await ask(server);
    expect(codes(findings).filter((each) => each.startsWith("error"))).toEqual(["error registry.head-refused"]);
    expect(factsOf(findings, "registry.head-refused")).toEqual({ host: server.host, status: 405 });
  });
});

const unavailable = dockerRegistryUnavailable();
describe.skipIf(unavailable !== undefined)(`preflightRegistry before a proxy that spoils a question`, () => {
  let harbor: Harbor;
  beforeAll(async () => {
    harbor = await aHarbor({ users: [pusher, puller], projects: { p: {} } });
  });
  afterAll(() => harbor[Symbol.asyncDispose]());

  it("names a HEAD that is always refused, though the account may pull", async () => {
    harbor.reset();
    for (let count = 0; count < 9; count += 1) harbor.failNext("manifest.head", { status: 401 });
    const findings = await ask(harbor);
    expect(codes(findings).filter((each) => each.startsWith("error"))).toEqual(["error registry.head-refused"]);
  });

  it("tells one cause once, however many questions it spoils", async () => {
    harbor.reset();
    await using server = await aServer((request, response, origin) =>
      request.url === "/v2/" && request.headers.authorization === undefined
        ? says(200, "application/json", "{}")(request, response, origin)
        : says(503, "text/html", nginx("503 Service Unavailable"))(request, response, origin),
    );
    const findings = await ask(server);
    expect(hasErrors(findings)).toBe(true);
    expect(codes(findings).filter((each) => each.startsWith("error"))).toEqual(["error registry.unanswered"]);
  });
});
