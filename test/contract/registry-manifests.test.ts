import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyGraph } from "../rig/copy-graph.ts";
import { maxManifestSize } from "../../src/model/descriptor.ts";
import { aBlob, asContent, aStore, bytesOf, type Graph } from "../rig/builders/graph.ts";
import { anImage } from "../rig/builders/images.ts";
import { aClient, type Client } from "../rig/client.ts";
import { aFaultServer, type FaultServer } from "../rig/fault-server.ts";
import { freePort } from "../rig/free-port.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";

const image = anImage({ layers: [aBlob(300_000)] });
const other = anImage({ architecture: "arm64" });

describe.skipIf(dockerRegistryUnavailable())("names in a registry", () => {
  let upstream: DockerRegistry;
  let server: FaultServer;
  let client: Client;
  const repository = (name = "p/image") => client.registry.repository(name);
  const put = async (graph: Graph, tag: string) => {
    await copyGraph(aStore(graph), repository(), asContent(graph));
    await repository().tag(graph.root, bytesOf(graph), tag);
  };
  beforeAll(async () => {
    upstream = await aDockerRegistry();
    server = await aFaultServer({ upstream: upstream.url });
    client = aClient({ origins: [server.origin], side: "target" });
    await put(image, "v1");
  });
  afterAll(async () => {
    for (const each of [client, server, upstream]) await each[Symbol.asyncDispose]();
  });

  it("a digest in the header that is not the body's is a mismatch, and the side is named", async () => {
    server.failNext("manifest.get", { type: "headers", headers: { "docker-content-digest": other.root.digest } }, 2);
    await expect(repository().resolve("v1")).rejects.toMatchObject({
      code: "CONTENT_MISMATCH",
      side: "target",
      facts: { what: "p/image:v1", wanted: other.root.digest, got: image.root.digest },
    });
  });

  it("a manifest without a usable Content-Type says itself what it is", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using reader = aClient({ origins: [plain.origin] });
    plain.failNext("manifest.get", { type: "headers", headers: { "content-type": "application/json" } });
    expect((await reader.registry.repository("p/image").resolve("v1")).descriptor).toEqual(image.root);
  });

  it("a manifest that does not end is not read to its end", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using reader = aClient({ origins: [plain.origin] });
    plain.failNext("manifest.get", { type: "status", status: 200, body: "x".repeat(maxManifestSize + 1) }, 9);
    await expect(reader.registry.repository("p/image").resolve("v1")).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
    });
  });

  it("a tag that may not be moved is no trouble where it names the same already", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using writer = aClient({ origins: [plain.origin], side: "target" });
    plain.failNext("manifest.put", { type: "status", status: 412 }, 9);
    await writer.registry.repository("p/image").tag(image.root, bytesOf(image), "v1");
    const moving = writer.registry.repository("p/image").tag(other.root, bytesOf(other), "v1");
    await expect(moving).rejects.toMatchObject({
      code: "REGISTRY_REFUSED",
      facts: { status: 412, action: "PUT p/image:v1" },
    });
  });

  it("a manifest that a policy locks away is there", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using writer = aClient({ origins: [plain.origin], side: "target" });
    plain.failNext("manifest.head", { type: "status", status: 412 });
    expect(await writer.registry.repository("p/image").has(image.root)).toBe(true);
  });

  it("a mount that is refused with 401 is an upload", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using writer = aClient({ origins: [plain.origin], side: "target" });
    plain.failNext("upload.post", { type: "status", status: 401, headers: { "www-authenticate": "" } });
    const blob = image.nodes[1]!;
    expect(await writer.registry.repository("q/image").mount(blob, "p/image")).toBe(false);
    expect(await writer.registry.repository("q/image").mount(blob, "p/image")).toBe(true);
  });

  it("tags come in pages; a Link may only move along this registry", async () => {
    await put(image, "v2");
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using reader = aClient({ origins: [plain.origin] });
    const link = '<https://elsewhere.example/v2/p/image/tags/list?last=v1&n=1>; rel="next"';
    plain.failNext("tags", { type: "headers", headers: { link } });
    expect(await reader.registry.repository("p/image").tags()).toEqual(["v1", "v2"]);
    expect(plain.requests.map((each) => each.path)).toEqual([
      "/v2/p/image/tags/list?n=1000",
      "/v2/p/image/tags/list?last=v1&n=1",
    ]);
  });

  it("pages that go in a circle end", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    await using reader = aClient({ origins: [plain.origin] });
    plain.failNext("tags", { type: "headers", headers: { link: "</v2/p/image/tags/list?n=1>; rel=next" } }, 9);
    await expect(reader.registry.repository("p/image").tags()).rejects.toMatchObject({ code: "REGISTRY_PROTOCOL" });
    expect(plain.requests.length).toBeLessThan(4);
  });

  it("a mirror that is away, or does not have it, is passed over, and asked last from then on", async () => {
    const dead = `http://127.0.0.1:${String(await freePort())}`;
    await using empty = await aFaultServer({ upstream: upstream.url });
    empty.failNext("manifest.get", { type: "status", status: 404 }, 99);
    await using reader = aClient({ origins: [dead, empty.origin, server.origin] });
    const mirrored = reader.registry.repository("p/image");
    expect((await mirrored.resolve("v1")).descriptor.digest).toBe(image.root.digest);
    const tries = reader.events.length;
    expect((await mirrored.resolve(image.root.digest)).descriptor.digest).toBe(image.root.digest);
    expect(reader.events).toHaveLength(tries);
    expect(empty.requests).toHaveLength(2);
  });

  it("a mirror that dies in a blob is replaced by the next one in the middle", async () => {
    await using dying = await aFaultServer({ upstream: upstream.url });
    dying.failNext("blob.get", { type: "cut", at: 100_000 });
    dying.failNext("blob.get", { type: "status", status: 503 }, 99);
    await using reader = aClient({ origins: [dying.origin, server.origin] });
    const into = aStore();
    const before = server.requests.length;
    await copyGraph(reader.registry.repository("p/image"), into, asContent(image));
    expect(into.digests.size).toBe(3);
    expect(server.requests.slice(before).map((each) => each.headers.range)).toContain("bytes=100000-");
  });

  it("stand behind a prefix where a mirror wants one", async () => {
    await using reader = aClient({ origins: [server.origin], pathPrefix: "/p" });
    expect(await reader.registry.repository("image").tags()).toContain("v1");
  });

  it("a refused connection is said with its address, a name that nobody knows is not tried again", async () => {
    const port = await freePort();
    await using away = aClient({ origins: [`http://127.0.0.1:${String(port)}`] });
    await expect(away.registry.repository("p/image").tags()).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      facts: { action: "GET p/image tags", reason: `ECONNREFUSED 127.0.0.1:${String(port)}` },
    });
    expect(away.events).toHaveLength(4);
    await using unknown = aClient({ origins: ["http://no-such-host.invalid"] });
    await expect(unknown.registry.repository("p/image").tags()).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
    expect(unknown.events.length).toBeLessThanOrEqual(4);
  });

  it("port 80 of a registry with TLS is told apart, and gets no credentials", async () => {
    await using plain = await aFaultServer({ upstream: upstream.url });
    plain.failNext("ping", { type: "status", status: 308, headers: { location: "https://harbor.corp/v2/" } });
    await using reader = aClient({ origins: [plain.origin], login: { username: "u", password: "secret" } });
    expect(await reader.registry.ping()).toMatchObject({ status: 308, redirect: "https://harbor.corp/v2/" });
    expect(plain.requests.map((each) => each.headers.authorization)).toEqual([undefined]);
  });

  it("that are no names are refused before anything is sent", () => {
    for (const name of ["../etc", "a//b?x=1", "A/b", ""]) {
      expect(() => repository(name)).toThrow(expect.objectContaining({ code: "REFERENCE_INVALID" }) as Error);
    }
  });
});
