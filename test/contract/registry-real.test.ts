import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { aClient, type ClientOptions } from "../rig/client.ts";
import { aDockerRegistry, dockerRegistryUnavailable, type DockerRegistry } from "../rig/registry-process.ts";
import { aCertificateAuthority } from "../rig/tls.ts";
import { pullContract, pushContract, seed, seeds, type Subject } from "./registry.contract.ts";

const htpasswd = { user: "pusher", password: "p:a$s wörd" };
const login = { username: htpasswd.user, password: htpasswd.password };

async function aSubject(
  server: DockerRegistry,
  options: Partial<ClientOptions>,
  ...also: AsyncDisposable[]
): Promise<Subject> {
  const client = aClient({ origins: [server.url], side: "target", ...options });
  for (const each of Object.values(seeds)) await seed(client.registry.repository(each.repository), each);
  return {
    client,
    async [Symbol.asyncDispose]() {
      for (const each of [client, server, ...also]) await each[Symbol.asyncDispose]();
    },
  };
}

const plain = async () => aSubject(await aDockerRegistry(), {});
const guarded = async () => aSubject(await aDockerRegistry({ htpasswd }), { login });
const encrypted = async () => {
  const authority = await aCertificateAuthority();
  const ca = [await readFile(authority.caFile, "utf8")];
  return aSubject(await aDockerRegistry({ tls: authority, htpasswd }), { login, ca }, authority);
};

describe.skipIf(dockerRegistryUnavailable())("docker-registry", () => {
  pullContract("docker-registry", plain);
  pushContract("docker-registry", plain);
  pushContract("docker-registry with htpasswd", guarded);
  pullContract("docker-registry behind TLS of a private CA, with htpasswd", encrypted);
  pushContract("docker-registry behind TLS of a private CA, with htpasswd", encrypted);

  it("is not believed without its CA, and is when that is asked for", async () => {
    await using authority = await aCertificateAuthority();
    await using server = await aDockerRegistry({ tls: authority });
    await using careful = aClient({ origins: [server.url] });
    await expect(careful.registry.ping()).rejects.toMatchObject({
      code: "REGISTRY_TLS",
      facts: { reason: expect.stringContaining("UNABLE_TO_VERIFY_LEAF_SIGNATURE") as string },
    });
    await using reckless = aClient({ origins: [server.url], insecure: true });
    expect((await reckless.registry.ping()).status).toBe(200);
  });

  it("is not believed with a certificate that is over, and the reason says so", async () => {
    await using authority = await aCertificateAuthority({ expired: true });
    await using server = await aDockerRegistry({ tls: authority });
    await using client = aClient({ origins: [server.url], ca: [await readFile(authority.caFile, "utf8")] });
    await expect(client.registry.ping()).rejects.toMatchObject({
      code: "REGISTRY_TLS",
      facts: { reason: expect.stringContaining("CERT_HAS_EXPIRED") as string },
    });
  });

  it("refuses a wrong password: the failure says whose", async () => {
    await using server = await aDockerRegistry({ htpasswd });
    await using client = aClient({ origins: [server.url], login: { username: "pusher", password: "guessed" } });
    await expect(client.registry.repository("a/b").tags()).rejects.toMatchObject({
      code: "REGISTRY_LOGIN_WRONG",
      facts: { host: server.host, as: "pusher" },
    });
  });
});
