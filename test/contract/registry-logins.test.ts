import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anImage } from "../rig/builders/images.ts";
import { aClient } from "../rig/client.ts";
import { aFaultServer } from "../rig/fault-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { seed } from "../rig/seed.ts";

const login = { username: "robot$push", password: "correct horse" };
const image = anImage();

describe.skipIf(dockerRegistryUnavailable())("a login", () => {
  let upstream: DockerRegistry;
  beforeAll(async () => {
    upstream = await aDockerRegistry();
    await seed(upstream.url, { "public.example/p/image:v1": image });
  });
  afterAll(() => upstream[Symbol.asyncDispose]());

  it.each([{}, { harbor: true }])(
    "that are wrong are tried once, alone, and end all that waits: %o",
    async (dialect) => {
      await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, ...dialect } });
      await using client = aClient({ origins: [server.origin], login: { ...login, password: "wrong horse" } });
      const names = Array.from({ length: 20 }, (_, index) => `p/image-${String(index)}`);
      const ended = await Promise.allSettled(names.map((name) => client.registry.repository(name).resolve("v1")));
      await expect(client.registry.repository("p/later").resolve("v1")).rejects.toMatchObject({
        code: "REGISTRY_LOGIN_WRONG",
      });
      for (const each of ended)
        expect(each).toMatchObject({ reason: { code: "REGISTRY_LOGIN_WRONG", facts: { as: "robot$push" } } });
      expect(server.count("token")).toBe(1);
    },
  );

  it("are tried again when the token service could not say", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: login });
    await using client = aClient({ origins: [server.origin], login });
    server.failNext("token", { type: "status", status: 503 }, 2);
    expect(await client.registry.repository("p/image").tags()).toEqual(["v1"]);
  });

  it("that are right, and whose token nobody takes, say so: a proxy takes the header out", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, harbor: true } });
    await using client = aClient({ origins: [server.origin], login });
    server.tokens?.refuseAll();
    const started = performance.now();
    await expect(client.registry.repository("p/image").resolve("v1")).rejects.toMatchObject({
      code: "REGISTRY_TOKEN_REFUSED",
      facts: { as: login.username, action: "GET p/image:v1" },
    });
    // One short pause, for a clock that is a little behind.
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(server.count("token")).toBeLessThanOrEqual(4);
  });

  it("that are right, and whose token is not valid yet, name both times", async () => {
    const tokens = { ...login, validIn: 600 };
    await using server = await aFaultServer({ upstream: upstream.url, tokens });
    await using client = aClient({ origins: [server.origin], login });
    await expect(client.registry.repository("p/image").resolve("v1")).rejects.toMatchObject({
      code: "REGISTRY_TOKEN_REFUSED",
      facts: { why: expect.stringMatching(/^valid from 2.*Z, refused at 2.*Z$/) as string },
    });
  });

  it("that are right, and whose token is valid in a moment, are good after a pause", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, validIn: 0.5 } });
    await using client = aClient({ origins: [server.origin], login });
    expect((await client.registry.repository("p/image").resolve("v1")).descriptor.digest).toBe(image.root.digest);
  });

  it("that are right, but for a right that is missing, are no token's fault", async () => {
    await using server = await aFaultServer({ upstream: upstream.url, tokens: { ...login, harbor: true } });
    await using client = aClient({ origins: [server.origin], login });
    server.failNext("manifest.get", { type: "status", status: 401 }, 9);
    await expect(client.registry.repository("p/image").resolve("v1")).rejects.toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
    });
    // After a pause it would be asked once more.
    const { requests } = server;
    expect(requests.filter(({ step, headers }) => step === "manifest.get" && headers.authorization)).toHaveLength(1);
  });
});
