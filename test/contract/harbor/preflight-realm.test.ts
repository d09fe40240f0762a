import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { beforeAll, describe, expect, it } from "vitest";

import { symptomReader, SymptomTable } from "../../../src/model/symptom.ts";
import { loadTyped } from "../../../src/std/yaml.ts";
import { codes, factsOf, preflight } from "../../rig/harbor/preflight.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../../rig/registry-process.ts";
import { realFetcher } from "../../rig/gateway/fetcher.ts";
import { fetcherUnavailable } from "../../rig/gateway/parts.ts";

const reason = fetcherUnavailable();
const because = reason === undefined ? "" : ` (not run: ${reason})`;
const account = { name: "puller", secret: "planted-secret" };
const { symptoms } = SymptomTable.parse(loadTyped(readFileSync("manifests/higress/symptoms.yaml", "utf8"))[0]);
const read = symptomReader(symptoms);
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
  'Basic realm="harbor", Bearer realm="https://harbor.corp.example/service/token",service="harbor-registry"',
  'Bearer realm="service/token",service="harbor-registry"',
  'Bearer realm="https://token.corp.example:8443/service/token?account=x",service="harbor-registry"',
  'Bearer realm="https://puller:pw@harbor.corp.example/token",service="harbor-registry"',
  'Bearer realm="https://harbor.corp.example:99999/token",service="harbor-registry"',
  'Bearer realm="https://10.0.0.1:99999/token",service="harbor-registry"',
  'Bearer realm="https://[fe80::1%25eth0]/token",service="harbor-registry"',
  'Bearer realm="https://[not an address/token",service="harbor-registry"',
  'Bearer realm="https://0x7f000001/token",service="harbor-registry"',
  'Bearer realm="https://127.1/token",service="harbor-registry"',
  'Bearer realm="https://LOCALHOST/token",service="harbor-registry"',
  'Bearer realm="https://localhost./token",service="harbor-registry"',
  'Bearer realm="https://[::ffff:10.0.0.1]/token",service="harbor-registry"',
  'Bearer realm="https://0.0.0.0/token",service="harbor-registry"',
  'Bearer realm="https://仓库.example/token",service="harbor-registry"',
  'Bearer realm="javascript:alert(1)",service="harbor-registry"',
  'Bearer realm=" https://harbor.corp.example/token",service="harbor-registry"',
  "Bearer realm=https://harbor.corp.example/token,service=harbor-registry",
  'bearer REALM="/service/token",service="harbor-registry"',
  'Bearer service="harbor-registry"',
  'Bearer realm="https://harbor.corp.example/token',
  "Bearer",
  "Basic",
  "Negotiate",
  'Digest realm="harbor",nonce="x"',
  "=,=",
  "",
];

/** Where preflight says something else than the agent, and why. */
const known: Readonly<Record<string, RegExp>> = {
  // No registry writes a realm without quotes or in capitals; the agent's guard overlooks it, its client may not.
  "Bearer realm=https://harbor.corp.example/token,service=harbor-registry": /warning registry\.realm-no-url/,
  'bearer REALM="/service/token",service="harbor-registry"': /warning registry\.realm-no-url/,
  // Nothing that anybody can log in to, which says more than its realm.
  'Digest realm="harbor",nonce="x"': /error registry\.none/,
};

/** A registry of which only the door is there. */
async function aDoor(challenge: string) {
  const server = createServer((_request, response) =>
    response
      .writeHead(401, {
        ...(challenge === "" ? {} : { "www-authenticate": Buffer.from(challenge).toString("latin1") }),
        "docker-distribution-api-version": "registry/2.0",
      })
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
  const printed = new Map<string, string>();
  beforeAll(async () => {
    for (const challenge of challenges) {
      await using door = await aDoor(challenge);
      const [answer] = await realFetcher([`${door.host}/a/b:1`]);
      refused.set(challenge, answer?.error?.includes(refusal) === true);
      printed.set(challenge, answer?.error ?? "");
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
    const codes = String(said.get(challenge));
    if (known[challenge] !== undefined) expect(codes).toMatch(known[challenge]);
    else expect(/registry\.realm-(?:no-url|private-ip)/.test(codes), codes).toBe(refused.get(challenge));
  });

  it.each(challenges)("are told by the doctor as what they are, of %s", (challenge) => {
    const symptom = read(`cannot fetch Wasm module oci://h/a/b:1: ${printed.get(challenge) ?? ""}`)?.symptom.id;
    if (refused.get(challenge) === true) expect(symptom).toMatch(/^registry-realm-/);
    else expect(symptom, printed.get(challenge)).not.toMatch(/^registry-realm-/);
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
