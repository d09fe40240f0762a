import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { copyGraph } from "../rig/copy-graph.ts";
import { asContent, aStore, aBlob, bytesOf } from "../rig/builders/graph.ts";
import { anImage } from "../rig/builders/images.ts";
import { aClient } from "../rig/client.ts";
import { aFaultServer, type FaultServer } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const login = { username: "robot$push", password: `correct horse's "<1>&2"` };
const image = anImage();

describe.skipIf(dockerRegistryUnavailable())("credentials at a registry", () => {
  let upstream: DockerRegistry;
  beforeAll(async () => {
    upstream = await aDockerRegistry();
    await seed(upstream.url, { "public.example/p/image:v1": image });
  });
  afterAll(() => upstream[Symbol.asyncDispose]());

  const authorizations = (server: FaultServer) =>
    server.requests.filter((each) => each.step !== "token").map((each) => each.headers.authorization?.split(" ")[0]);

  it("are not sent, nor even looked for, before the registry asks", async () => {
    await using server = await aFaultServer({ upstream: upstream.url });
    const ask = vi.fn(() => Promise.resolve(login));
    await using client = aClient({ origins: [server.origin], login: ask });
    await client.registry.repository("p/image").resolve("v1");
    expect(ask).not.toHaveBeenCalled();
    expect(authorizations(server)).toEqual([undefined]);
  });

  it.each([
    ["token", {}],
    ["access_token", { accessTokenOnly: true }],
    ["token beside an empty access_token, as Harbor", { harbor: true }],
  ])("become one Bearer token per scope: %s", async (_name, dialect) => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, ...dialect } });
    await using client = aClient({ origins: [server.origin], login });
    const repository = client.registry.repository("p/image");
    await Promise.all(image.nodes.map((node) => repository.has(node)));
    await repository.tags();
    const asked = server.requests.filter((each) => each.step === "token").map(({ path }) => new URL(path, "http://x"));
    // Without a scope first: with one, Harbor does not say whether the password is right.
    expect(asked.map(({ searchParams }) => searchParams.getAll("scope"))).toEqual([[], ["repository:p/image:pull"]]);
  });

  it("are renewed once when Harbor answers a token of yesterday with a Basic challenge", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, harbor: true } });
    await using client = aClient({ origins: [server.origin], login });
    const repository = client.registry.repository("p/image");
    await repository.tags();
    server.tokens?.revoke();
    await repository.tags();
    expect(server.tokens?.issued).toHaveLength(3);
    expect(authorizations(server)).toEqual([undefined, "Bearer", "Bearer", "Bearer"]);
  });

  it("are renewed in the middle of a push: the upload begins again", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, harbor: true } });
    await using client = aClient({ origins: [server.origin], login, side: "target" });
    const blob = aBlob(200_000);
    const repository = client.registry.repository("p/expiring");
    await repository.push(blob.root, (offset) => {
      if (server.tokens?.issued.length === 2) server.tokens.revoke();
      return aStore(blob).fetch(blob.root, { offset });
    });
    expect(await repository.has(blob.root)).toBe(true);
    expect(server.tokens?.issued).toHaveLength(3);
  });

  it("hold what the registry asks for where that is not what we would have asked", async () => {
    const wants = "repository:group/p/image:pull";
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, wants } });
    await using client = aClient({ origins: [server.origin], login });
    const repository = client.registry.repository("p/image");
    expect(await repository.tags()).toEqual(["v1"]);
    // It is remembered: the next token is asked for with it at once.
    const before = server.requests.length;
    server.tokens?.revoke();
    expect(await repository.tags()).toEqual(["v1"]);
    const asked = server.requests.slice(before).filter(({ step }) => step === "token");
    expect(asked.map(({ path }) => new URL(path, server.origin).searchParams.getAll("scope"))).toEqual([[wants]]);
  });

  it("are fetched anew before a short token runs out", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, expiresIn: 100 } });
    await using client = aClient({ origins: [server.origin], login });
    const repository = client.registry.repository("p/image");
    await repository.tags();
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 75_000);
    await repository.tags();
    clock.mockRestore();
    expect(server.tokens?.issued).toHaveLength(3);
    expect(authorizations(server)).toEqual([undefined, "Bearer", "Bearer"]);
  });

  it("that are right hold what they were asked for", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, harbor: true } });
    await using client = aClient({ origins: [server.origin], login, side: "target" });
    const repository = client.registry.repository("p/image");
    await repository.tags();
    expect(await repository.grants()).toEqual(["pull", "push"]);
  });

  it("go to our own way to Harbor when its realm names another", async () => {
    const realm = "https://harbor.outside.example/service/token";
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, harbor: true, realm } });
    await using client = aClient({ origins: [server.origin], login });
    expect(await client.registry.repository("p/image").tags()).toEqual(["v1"]);
  });

  it("never go from https to a realm of plain http", async () => {
    await using authority = await aCertificateAuthority();
    await using listener = await aFaultServer({ upstream: upstream.url });
    const tokens = { ...login, realm: `${listener.origin}/auth/token` };
    await using server = await aFaultServer({ upstream: upstream.url, tokens, tls: authority.tls });
    await using client = aClient({ origins: [server.origin], login, insecure: true });
    await expect(client.registry.repository("p/image").tags()).rejects.toMatchObject({
      code: "REGISTRY_PROTOCOL",
      facts: { why: `realm ${listener.origin}/auth/token` },
    });
    expect(listener.requests).toHaveLength(0);
  });

  it.each(["/v2/p/image/blobs/", "/v2/p/image/manifests/"])(
    "stay behind when %s redirects to another origin",
    async (path) => {
      await using storage = await aFaultServer({ upstream: upstream.url });
      await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
      await using client = aClient({ origins: [server.origin], login });
      const repository = client.registry.repository("p/image");
      server.failNext(path.includes("blobs") ? "blob.get" : "manifest.get", {
        type: "redirect",
        origin: storage.origin,
      });
      const into = aStore();
      await copyGraph(repository, into, { root: image.root, manifests: [], blobs: image.nodes.slice(0, 1) });
      await repository.resolve("v1");
      expect(storage.requests.map((each) => each.path.startsWith(path))).toEqual([true]);
      expect(storage.requests[0]?.headers.authorization).toBeUndefined();
      expect(JSON.stringify(storage.requests)).not.toContain(server.tokens?.issued[0]);
    },
  );

  it.each(["upload.post", "upload.put", "manifest.put", "token"] as const)(
    "are not carried along when %s redirects",
    async (step) => {
      await using elsewhere = await aFaultServer({ upstream: upstream.url });
      await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
      await using client = aClient({ origins: [server.origin], login, side: "target" });
      server.failNext(step, { type: "redirect", origin: elsewhere.origin }, Infinity);
      const blob = aBlob(`redirected at ${step}`);
      const repository = client.registry.repository("p/image");
      const work =
        step === "manifest.put"
          ? repository.tag(image.root, bytesOf(image), "v9")
          : repository.push(blob.root, () => aStore(blob).fetch(blob.root));
      await expect(work).rejects.toMatchObject({ code: step === "token" ? "REGISTRY_NOT_FOUND" : "REGISTRY_PROTOCOL" });
      expect(elsewhere.requests.filter((each) => each.headers.authorization !== undefined)).toEqual([]);
    },
  );

  it("appear in no failure, event or cause, whatever the registry repeats", async () => {
    const seen: string[] = [];
    for (const step of ["token", "manifest.get", "blob.get", "upload.put", "tags"] as const) {
      await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
      await using client = aClient({ origins: [server.origin], login, side: "target" });
      const repository = client.registry.repository("p/image");
      await repository.has(image.root).catch(() => undefined);
      const basic = Buffer.from(`${login.username}:${login.password}`).toString("base64");
      const inUrl = encodeURIComponent(login.password);
      const inForm = new URLSearchParams({ p: login.password }).toString();
      const onPage = "correct horse&#39;s &quot;&lt;1&gt;&amp;2&quot;";
      const shapes = [inUrl, inUrl.replaceAll("'", "%27"), inForm, JSON.stringify(login.password), onPage];
      const body = `you are ${login.password} / ${basic} / ${server.tokens?.issued.join()} / ${shapes.join(" / ")}`;
      server.failNext(step, { type: "status", status: 503, body }, 1);
      server.failNext(step, { type: "status", status: 418, body }, 9);
      if (step === "token") server.tokens?.revoke();
      const blob = aBlob("secret");
      const failures = [
        repository.resolve("v1"),
        repository.tags(),
        repository.push(blob.root, () => aStore(blob).fetch(blob.root)),
        copyGraph(repository, aStore(), asContent(image)),
      ].map((each) =>
        each.then(
          () => "",
          (error: unknown) => everythingIn(error),
        ),
      );
      seen.push(...(await Promise.all(failures)), JSON.stringify(client.events));
      seen.push(...(server.tokens?.issued ?? []).filter((token) => seen.join().includes(token)));
      expect(seen.join("\n")).not.toContain(server.tokens?.issued[0] ?? "no token");
    }
    const all = seen.join("\n");
    expect(all).toContain("you are ***");
    expect(all).not.toMatch(/correct(%20|\+| )horse/);
    expect(all).not.toContain(Buffer.from(`${login.username}:${login.password}`).toString("base64"));
  });
});

/** Its message, stack, own properties, and the same of its causes. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = JSON.stringify(error, Object.getOwnPropertyNames(error));
  return [own, JSON.stringify((error as { facts?: unknown }).facts), error.stack, everythingIn(error.cause)].join("\n");
}
