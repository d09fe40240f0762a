import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { readSmall } from "../../src/content/verified.ts";
import { TargetProbe } from "../../src/edge/harbor/probe.ts";
import { stranger } from "../../src/edge/registry/auth/account.ts";
import { aBlob, aStore } from "../rig/builders/graph.ts";
import { aClient } from "../rig/client.ts";
import { aProxyServer } from "../rig/proxy-server.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const blob = aBlob(300_000);

describe.skipIf(dockerRegistryUnavailable())("a registry behind a proxy", () => {
  it("with TLS is tunnelled, and its certificate is checked at our end", async () => {
    await using authority = await aCertificateAuthority();
    await using server = await aDockerRegistry({ tls: authority });
    await using proxy = await aProxyServer();
    const env = { HTTPS_PROXY: proxy.url, http_proxy: "http://127.0.0.1:1" };
    await using client = aClient({ origins: [server.url], ca: [await readFile(authority.caFile, "utf8")], env });
    const repository = client.registry.repository("p/image");
    await repository.push(blob.root, () => aStore(blob).fetch(blob.root));
    expect(await repository.has(blob.root)).toBe(true);
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${server.host}`]));
    await using careful = aClient({ origins: [server.url], env });
    await expect(careful.registry.ping()).rejects.toMatchObject({ code: "REGISTRY_TLS" });
  });

  it("without TLS is asked for by its full address, with the proxy's own credentials", async () => {
    await using server = await aDockerRegistry();
    await using proxy = await aProxyServer();
    const env = { http_proxy: proxy.url.replace("//", "//user:pass@") };
    await using client = aClient({ origins: [server.url], env });
    const repository = client.registry.repository("p/image");
    await repository.push(blob.root, () => aStore(blob).fetch(blob.root));
    expect(await repository.has(blob.root)).toBe(true);
    expect(proxy.asked[0]).toBe(`HEAD ${server.url}/v2/p/image/blobs/${blob.root.digest}`);
    expect(proxy.asked.every((each) => !each.startsWith("CONNECT"))).toBe(true);
    expect(proxy.credentials[0]).toBe(`Basic ${Buffer.from("user:pass").toString("base64")}`);
  });

  it("is reached directly when NO_PROXY has its range", async () => {
    await using server = await aDockerRegistry();
    await using proxy = await aProxyServer();
    const env = { HTTP_PROXY: proxy.url, NO_PROXY: "10.0.0.0/8,127.0.0.0/8" };
    await using client = aClient({ origins: [server.url], env });
    expect((await client.registry.ping()).status).toBe(200);
    expect(proxy.asked).toEqual([]);
  });

  it("that cannot be read is the reason, and nothing goes past it", async () => {
    await using server = await aDockerRegistry();
    const env = { HTTP_PROXY: "htttp://user:hunter22@proxy.corp" };
    const reason = "HTTP_PROXY: no http://, https:// or socks5://HOST:PORT";
    const wanted = { code: "REGISTRY_UNREACHABLE", facts: { reason } };
    await using client = aClient({ origins: [server.url], env, bulkFrom: 0 });
    await expect(client.registry.ping()).rejects.toMatchObject(wanted);
    const repository = client.registry.repository("p/image");
    await expect(readSmall(repository, blob.root, "source")).rejects.toMatchObject(wanted);
    expect(client.events).toEqual([]);
    const access = { origin: server.url, pathPrefix: "", ca: [], insecure: false, account: stranger() };
    await using probe = new TargetProbe(access, { host: server.host, env });
    await expect(probe.connect()).rejects.toMatchObject(wanted);
  });

  it("that refuses is the reason, and says no password", async () => {
    await using proxy = await aProxyServer();
    proxy.refuse(403);
    const env = { HTTPS_PROXY: proxy.url.replace("//", "//user:hunter22@") };
    await using client = aClient({ origins: ["https://registry.example"], env });
    const failure: unknown = await client.registry.ping().catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      facts: { reason: expect.stringContaining("Proxy response (403)") as string },
    });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain("hunter22");
  });
});
