import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { beforeAll, describe, expect, it } from "vitest";

import { codes, factsOf, preflight } from "../../rig/harbor/preflight.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../../rig/registry-process.ts";
import { realFetcher } from "../../rig/gateway/fetcher.ts";
import { fetcherUnavailable } from "../../rig/gateway/parts.ts";

const reason = fetcherUnavailable();
const because = reason === undefined ? "" : ` (not run: ${reason})`;
const account = { name: "puller", secret: "planted-secret" };
const refusal = "rejected unsafe bearer realm";

/** Challenges that registries make, and what should come of them. */
const challenges: readonly string[] = [
  'Basic realm="Registry"',
  'Basic realm="Sonatype Nexus Repository Manager"',
  'Basic realm="Authorization Required"',
  'Basic realm="https://harbor.corp.example/"',
  'Basic realm=""',
  'Bearer realm="https://harbor.corp.example/service/token",service="harbor-registry"',
  'Bearer realm="http://harbor.corp.example/service/token",service="harbor-registry"',
  'Bearer realm="HTTPS://harbor.corp.example/service/token",service="harbor-registry"',
  'Bearer realm="/service/token",service="harbor-registry"',
  'Bearer realm="//harbor.corp.example/service/token",service="harbor-registry"',
  'Bearer realm="ftp://harbor.corp.example/token",service="harbor-registry"',
  'Bearer realm="https:///token",service="harbor-registry"',
  'Bearer realm="https://10.1.2.3/service/token",service="harbor-registry"',
  'Bearer realm="https://172.16.0.1:8443/service/token",service="harbor-registry"',
  'Bearer realm="https://172.32.0.1/service/token",service="harbor-registry"',
  'Bearer realm="https://192.168.1.1/service/token",service="harbor-registry"',
  'Bearer realm="https://169.254.169.254/token",service="harbor-registry"',
  'Bearer realm="https://100.64.0.1/token",service="harbor-registry"',
  'Bearer realm="https://[fd00::1]/token",service="harbor-registry"',
  'Bearer realm="https://[fe80::1]/token",service="harbor-registry"',
  'Bearer realm="https://[2001:db8::1]/token",service="harbor-registry"',
  'Bearer realm="https://8.8.8.8/token",service="harbor-registry"',
  'Bearer realm="https://localhost/token",service="harbor-registry"',
  'Bearer realm="https://metadata.google.internal/token",service="harbor-registry"',
  'Bearer realm="https://harbor.corp.example/service/token",service="harbor-registry", Basic realm="harbor"',
];

/** A registry of which only the door is there. */
async function aDoor(challenge: string) {
  const server = createServer((_request, response) =>
    response
      .writeHead(401, { "www-authenticate": challenge, "docker-distribution-api-version": "registry/2.0" })
      .end("{}"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    host,
    origin: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe.skipIf(reason)(`realms and the agent's own guard${because}`, () => {
  const refused = new Map<string, boolean>();
  const said = new Map<string, readonly string[]>();
  beforeAll(async () => {
    for (const challenge of challenges) {
      await using door = await aDoor(challenge);
      const [answer] = await realFetcher([`${door.host}/a/b:1`]);
      refused.set(challenge, answer?.error?.includes(refusal) === true);
      // The name under which it is known is no loopback address, as in a cluster.
      const { findings } = await preflight({
        at: door,
        as: account,
        input: { host: "harbor.corp.example", gatewayPulls: true },
      });
      said.set(challenge, codes(findings));
    }
  });

  it.each(challenges)("agree about %s", (challenge) => {
    const warned = said.get(challenge)?.some((code) => /registry\.realm-(?:no-url|private-ip)/.test(code));
    expect(warned, String(said.get(challenge))).toBe(refused.get(challenge));
  });

  it.skipIf(dockerRegistryUnavailable())(
    "of a real registry with passwords: a name is warned of, a URL passes",
    async () => {
      const htpasswd = { user: account.name, password: account.secret };
      const about = async (realm: string) => {
        await using registry = await aDockerRegistry({ htpasswd: { ...htpasswd, realm } });
        const [answer] = await realFetcher([`${registry.host}/p/a:1`]);
        const at = { host: registry.host, origin: registry.url };
        const { findings } = await preflight({ at, as: account, pull: account, input: { gatewayPulls: true } });
        return { error: answer?.error ?? "", findings };
      };
      const named = await about("Registry");
      expect(named.error).toContain(`${refusal}: realm scheme "" not allowed`);
      expect(factsOf(named.findings, "registry.realm-no-url")).toMatchObject({ realm: "Registry" });
      const url = await about("https://registry.corp.example/");
      expect(url.error).toContain("UNAUTHORIZED: authentication required");
      expect(codes(url.findings).filter((code) => code.includes("realm"))).toEqual([]);
    },
  );
});
