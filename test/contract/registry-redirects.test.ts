import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpGet } from "../../src/edge/charts/http.ts";
import { UndiciTransport } from "../../src/edge/registry/undici-transport.ts";
import { collect } from "../../src/std/collect.ts";
import { aBlob, aStore } from "../rig/builders/graph.ts";
import { aClient, type Client } from "../rig/client.ts";
import { aFaultServer, type FaultServer, type Step } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { aCertificateAuthority, type CertificateAuthority } from "../rig/tls.ts";

const login = { username: "robot$push", password: "correct horse" };
const blob = aBlob(300_000);

/** What a read does, by the step at which it can be sent astray. */
const reads: readonly (readonly [name: string, step: Step, read: (client: Client) => Promise<unknown>])[] = [
  ["a blob", "blob.get", ({ registry }) => collect(registry.repository("p/blob").fetch(blob.root), 1e6)],
  ["the question for a blob", "blob.head", ({ registry }) => registry.repository("p/blob").has(blob.root)],
  ["a manifest", "manifest.get", ({ registry }) => registry.repository("p/blob").resolve("v1")],
  ["the question for a manifest", "manifest.head", ({ registry }) => registry.repository("p/blob").head("v1")],
];

describe.skipIf(dockerRegistryUnavailable())("redirects", () => {
  let upstream: DockerRegistry;
  let authority: CertificateAuthority;
  beforeAll(async () => {
    upstream = await aDockerRegistry();
    authority = await aCertificateAuthority();
    await using client = aClient({ origins: [upstream.url] });
    await client.registry.repository("p/blob").push(blob.root, () => aStore(blob).fetch(blob.root));
  });
  afterAll(async () => {
    await upstream[Symbol.asyncDispose]();
    await authority[Symbol.asyncDispose]();
  });

  const secrets = [login.password, Buffer.from(`${login.username}:${login.password}`).toString("base64")];
  const toldTo = (server: FaultServer): string => JSON.stringify(server.requests);

  /** An origin that answers 401 and names a token service of its own. */
  async function aThief(service: string) {
    const realms = await aFaultServer({
      upstream: upstream.url,
      tokens: { ...login, harbor: service === "harbor-registry" },
    });
    const { path } = realms.tokens ?? { path: "" };
    const harbor = service === "harbor-registry";
    const tokens = { ...login, harbor, realm: `${realms.origin}${path}` };
    const server = await aFaultServer({ upstream: upstream.url, tokens });
    return {
      server,
      realms,
      async [Symbol.asyncDispose]() {
        await Promise.all([server[Symbol.asyncDispose](), realms[Symbol.asyncDispose]()]);
      },
    };
  }

  describe.each(["registry.test", "harbor-registry"])("to a stranger that asks for a login to %s", (service) => {
    describe.each([
      ["that is open", undefined],
      ["that wants tokens", login],
    ])("from a registry %s", (_name, tokens) => {
      it.each(reads)("of %s take no password along", async (_what, step, read) => {
        await using thief = await aThief(service);
        await using server = await aFaultServer({ upstream: upstream.url, ...(tokens && { tokens }) });
        server.failNext(step, { type: "redirect", origin: thief.server.origin }, Infinity);
        for (const bulkFrom of [1000, undefined]) {
          await using client = aClient({ origins: [server.origin], login, bulkFrom });
          await expect(read(client)).rejects.toMatchObject({
            code: "REGISTRY_PROTOCOL",
            facts: { why: `redirect to ${thief.server.origin}, which answers 401` },
          });
        }
        expect(thief.realms.requests).toEqual([]);
        for (const secret of secrets) expect(toldTo(thief.server)).not.toContain(secret);
        expect(thief.server.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
      });
    });
  });

  it("of a token request take no password along, whatever the stranger asks for", async () => {
    await using thief = await aThief("registry.test");
    await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
    server.failNext("token", { type: "redirect", origin: thief.server.origin }, Infinity);
    thief.server.failNext(
      "other",
      { type: "status", status: 401, headers: { "www-authenticate": "Basic realm=x" } },
      9,
    );
    await using client = aClient({ origins: [server.origin], login });
    await expect(client.registry.repository("p/blob").resolve("v1")).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
    });
    for (const secret of secrets) expect(toldTo(thief.server) + toldTo(thief.realms)).not.toContain(secret);
  });

  it("to a stranger and back come without the login, and are not asked for it again", async () => {
    await using back = await aFaultServer({ upstream: upstream.url });
    await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
    server.failNext("blob.get", { type: "redirect", origin: back.origin });
    back.failNext("blob.get", { type: "redirect", origin: server.origin });
    await using client = aClient({ origins: [server.origin], login });
    await expect(collect(client.registry.repository("p/blob").fetch(blob.root), 1e6)).rejects.toMatchObject({
      facts: { why: `redirect to ${server.origin}, which answers 401` },
    });
    expect(back.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each([
    ["Location of an upload", "upload.post"],
    ["Link to the next page", "tags"],
  ] as const)("hidden in the path of a %s stay at our origin", async (_name, step) => {
    await using thief = await aFaultServer({ upstream: upstream.url });
    await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
    const path = `//${thief.host}/v2/p/blob/blobs/uploads/1`;
    server.failNext(step, {
      type: "status",
      status: step === "tags" ? 200 : 202,
      headers: { location: `${server.origin}${path}`, link: `<${server.origin}${path}>; rel="next"` },
      body: '{"tags":["a"]}',
    });
    await using client = aClient({ origins: [server.origin], login, side: "target" });
    const repository = client.registry.repository("p/other");
    const other = aBlob(1000);
    const work =
      step === "tags" ? repository.tags() : repository.push(other.root, () => aStore(other).fetch(other.root));
    await expect(work).rejects.toMatchObject({ code: expect.stringMatching(/^REGISTRY_/) as unknown });
    expect(server.requests.some((each) => each.headers.authorization !== undefined)).toBe(true);
    expect(thief.requests).toEqual([]);
  });

  it.each(reads)("of %s do not lead from https to http", async (_what, step, read) => {
    await using storage = await aFaultServer({ upstream: upstream.url });
    await using server = await aFaultServer({ upstream: upstream.url, tls: authority.tls });
    server.failNext(step, { type: "redirect", origin: storage.origin }, Infinity);
    await using client = aClient({ origins: [server.origin], ca: [await readFile(authority.caFile, "utf8")] });
    await expect(read(client)).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
    expect(storage.requests).toEqual([]);
  });

  it("of a token request do not lead from https to http", async () => {
    await using storage = await aFaultServer({ upstream: upstream.url, tokens: login });
    await using server = await aFaultServer({ upstream: upstream.url, tls: authority.tls, tokens: login });
    server.failNext("token", { type: "redirect", origin: storage.origin }, Infinity);
    await using client = aClient({ origins: [server.origin], login, ca: [await readFile(authority.caFile, "utf8")] });
    await expect(client.registry.repository("p/blob").resolve("v1")).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      facts: { action: "GET token" },
    });
    expect(storage.requests).toEqual([]);
  });

  it("of a chart repository do not lead from https to http", async () => {
    await using storage = await aFaultServer({ upstream: upstream.url });
    await using server = await aFaultServer({ upstream: upstream.url, tls: authority.tls });
    server.failNext("other", { type: "redirect", origin: storage.origin }, Infinity);
    const ca = [await readFile(authority.caFile, "utf8")];
    const transport = new UndiciTransport({ ca, insecure: false, env: {}, connections: 1, stallSeconds: 5 });
    const get = httpGet({ transport: () => Promise.resolve(transport), retry: { attempts: 1 } });
    await expect(get(`${server.origin}/charts/index.yaml`, { limit: 1000 })).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
    });
    await transport.close();
    expect(storage.requests).toEqual([]);
  });
});
