import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, RequestListener } from "node:http";
import type { ServerOptions } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TargetProbe } from "../../src/edge/harbor/probe.ts";
import { connectRegistry, endpointsOf } from "../../src/edge/registry/connect.ts";
import { readCertificates } from "../../src/edge/registry/roots.ts";
import { isFailure, type TlsFault } from "../../src/model/failure.ts";
import { describeFailure } from "../../src/ui/failure.ts";
import { aTempDirectory, type TempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority, type Certificate, type CertificateAuthority } from "../rig/tls.ts";
import { aStrictServer, aTlsServer, onlyFor } from "../rig/tls-servers.ts";

let company: CertificateAuthority;
let other: CertificateAuthority;
let folder: TempDirectory;
let intermediate: Certificate;
const read = (path: string): Promise<string> => readFile(path, "utf8");
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  [company, other, folder] = await Promise.all([aCertificateAuthority(), aCertificateAuthority(), aTempDirectory()]);
  intermediate = await company.issue({ isAuthority: true });
});
afterAll(async () => {
  await Promise.all([company, other, folder].map((each) => each[Symbol.asyncDispose]()));
});

const registry: RequestListener = (request, response) => {
  const { remotePort } = request.socket;
  const found = request.url?.endsWith("/tags/list") === true ? `{"name":"p/a","tags":["${String(remotePort)}"]}` : "{}";
  response.writeHead(200, { "content-type": "application/json" }).end(found);
};

interface Named {
  readonly ca?: string | undefined;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
}
const connecting = (url: string, named: Named) => ({
  registries: { "harbor.corp": { endpoints: [{ url, insecure: false, ...named }] } },
  baseDirectory: folder.path,
  env: { SSL_CERT_FILE: "/dev/null" },
  side: "target" as const,
});

/** What the client says, and what preflight sees at the door or at the first request. */
async function askBoth(url: string, named: Named) {
  await using client = await connectRegistry("harbor.corp", connecting(url, named));
  const failed: unknown = await client
    .repository("p/a")
    .tags()
    .catch((error: unknown) => error);
  const [access] = await endpointsOf("harbor.corp", connecting(url, named));
  await using probe = new TargetProbe(access!, { host: "harbor.corp", env: {} });
  const door: unknown = await probe
    .connect()
    .then(async ({ tls }) => tls?.fault ?? (await probe.greet()).status)
    .catch((error: unknown) => (isFailure(error, "REGISTRY_TLS") ? error.facts.fault : error));
  return { failed, door };
}

async function pairOf({ certFile, keyFile }: Certificate, ...more: readonly Certificate[]): Promise<ServerOptions> {
  const chain = await Promise.all([certFile, ...more.map((each) => each.certFile)].map(read));
  return { cert: chain.join("\n"), key: await read(keyFile) };
}

describe("TLS that cannot be trusted", () => {
  const servers: Record<TlsFault, () => Promise<readonly [ServerOptions | "plain", ca: string | undefined]>> = {
    "unknown-ca": async () => [await pairOf(company), undefined],
    "missing-intermediate": async () => [await pairOf(await company.issue({ by: intermediate })), company.caFile],
    expired: async () => [await pairOf(await company.issue({ expired: true })), company.caFile],
    "not-yet-valid": async () => [await pairOf(await company.issue({ early: true })), company.caFile],
    "wrong-name": async () => [await pairOf(company), company.caFile],
    "no-san": async () => [await pairOf(await company.issue({ noNames: true })), company.caFile],
    "old-protocol": async () => [
      { ...(await pairOf(company)), minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" },
      company.caFile,
    ],
    "plain-http": () => Promise.resolve(["plain", company.caFile]),
    "client-certificate": async () => [await pairOf(company), company.caFile],
    handshake: async () => [await pairOf(company), company.caFile],
  };
  /** They want a name or a server of their own; the last is what no other fits. */
  const elsewhere: ReadonlySet<string> = new Set(["wrong-name", "client-certificate", "handshake"]);
  const rows = (Object.keys(servers) as TlsFault[]).filter((fault) => !elsewhere.has(fault));

  it.each(rows)("is told by its cause: %s", async (fault) => {
    const [options, ca] = await servers[fault]();
    await using server = await aTlsServer(options, registry);
    const { failed, door } = await askBoth(server.url, { ca });
    expect(door).toBe(fault);
    // Node goes by the common name where there is no other: it is preflight that says what nodes will say.
    if (fault === "no-san" && !isFailure(failed)) return;
    expect(failed).toMatchObject({ code: "REGISTRY_TLS", facts: { fault } });
    for (const language of ["en", "zh"] as const) {
      const { message, hint } = describeFailure(failed, language);
      expect(message + hint).not.toMatch(/[{}](?! cert)|fault\./);
      expect(hint.length).toBeGreaterThan(10);
    }
  });

  it("is told by its cause: handshake, where none of the others is", async () => {
    // RFC 8446, 6: a fatal alert, internal_error.
    const server = createServer((socket) => socket.end(Buffer.from("15030300020250", "hex"))).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://localhost:${String((server.address() as AddressInfo).port)}`;
    expect(await askBoth(url, { ca: company.caFile })).toMatchObject({
      failed: { code: "REGISTRY_TLS", facts: { fault: "handshake" } },
      door: "handshake",
    });
    server.close();
  });

  it("is no client certificate for a fact where the handshake failed: it may be a cipher, and the remedy names both", async () => {
    // RFC 5246, 7.2.2: a fatal alert, handshake_failure.
    const server = createServer((socket) => socket.end(Buffer.from("15030300020228", "hex"))).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://localhost:${String((server.address() as AddressInfo).port)}`;
    const { failed, door } = await askBoth(url, { ca: company.caFile });
    expect([failed, door]).toMatchObject([{ code: "REGISTRY_TLS", facts: { fault: "handshake" } }, "handshake"]);
    for (const language of ["en", "zh"] as const)
      expect(describeFailure(failed, language).hint).toContain("clientCertificate: { cert, key }");
    server.close();
  });

  it("is told by its cause: wrong-name", async () => {
    await using server = await aTlsServer(await pairOf(await company.issue()), registry);
    const url = server.url.replace("localhost", "ip6-localhost.localdomain");
    const { failed } = await askBoth(url, { ca: company.caFile });
    // Without such a name on this machine there is nobody to ask.
    if (isFailure(failed, "REGISTRY_UNREACHABLE")) {
      await using named = await aTlsServer(await pairOf(await onlyFor("harbor.corp", company, folder.path)), registry);
      expect(await askBoth(named.url, { ca: company.caFile })).toMatchObject({
        failed: { code: "REGISTRY_TLS", facts: { fault: "wrong-name" } },
        door: "wrong-name",
      });
    } else expect(failed).toMatchObject({ facts: { fault: "wrong-name" } });
  });

  it("takes nginx's word for a client certificate that it did not get", async () => {
    const page = "<html><body><center>No required SSL certificate was sent</center></body></html>";
    const nginx: RequestListener = (_request, response) => void response.writeHead(400).end(page);
    await using server = await aTlsServer(await pairOf(company), nginx);
    const { failed } = await askBoth(server.url, { ca: company.caFile });
    expect(failed).toMatchObject({ code: "REGISTRY_TLS", facts: { fault: "client-certificate" } });
  });
});

describe("a CA file", () => {
  const works = async (ca: string, ...chain: readonly Certificate[]) => {
    await using server = await aTlsServer(await pairOf(await company.issue({ by: intermediate }), ...chain), registry);
    const { failed } = await askBoth(server.url, { ca });
    return Array.isArray(failed);
  };

  it("with only the issuing CA is enough, as for curl", async () => {
    expect(await works(intermediate.certFile)).toBe(true);
  });

  it("of the registry is that of its other addresses, too, as its login is", async () => {
    const url = "https://10.0.0.5:8443";
    const [plain] = await endpointsOf("harbor.corp", { ...connecting(url, {}), ca: company.caFile });
    const [own] = await endpointsOf("harbor.corp", { ...connecting(url, { ca: other.caFile }), ca: company.caFile });
    expect(plain?.ca.join("\n")).toContain((await read(company.caFile)).trim());
    expect(own?.ca.join("\n")).not.toContain((await read(company.caFile)).trim());
  });

  it("with the root is enough where the chain is sent", async () => {
    expect(await works(company.caFile, intermediate)).toBe(true);
  });

  it("may be DER", async () => {
    execFileSync("openssl", ["x509", "-in", company.caFile, "-outform", "der", "-out", file("ca.der")]);
    expect(await works(file("ca.der"), intermediate)).toBe(true);
    expect(await readCertificates(file("ca.der"))).toContain("-----BEGIN CERTIFICATE-----");
  });
});

/** Whether a certificate came with it. */
function showed({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && Object.keys(socket.getPeerCertificate()).length > 0;
}

describe("a client certificate", () => {
  const wanting = async () => ({
    ...(await pairOf(company)),
    requestCert: true,
    rejectUnauthorized: true,
    ca: await read(company.caFile),
  });
  const named = ({ certFile: cert, keyFile: key }: Certificate) => ({
    ca: company.caFile,
    clientCertificate: { cert, key },
  });

  it("is shown where one is wanted", async () => {
    await using server = await aTlsServer(await wanting(), registry);
    const { failed, door } = await askBoth(server.url, named(await company.issue()));
    expect([Array.isArray(failed), door]).toEqual([true, 200]);
  });

  it("that is missing, or a stranger's, is named as the cause", async () => {
    await using server = await aStrictServer(company);
    const theirs = named(await other.issue());
    for (const shown of [{ ca: company.caFile }, theirs])
      expect(await askBoth(server.url, shown)).toMatchObject({
        failed: { code: "REGISTRY_TLS", facts: { fault: "client-certificate" } },
        door: "client-certificate",
      });
  });

  it("is not shown to whom the registry redirects", async () => {
    const shown: boolean[] = [];
    const looking: RequestListener = (request, response) => {
      shown.push(showed(request));
      registry(request, response);
    };
    const asking = { ...(await pairOf(company)), requestCert: true, rejectUnauthorized: false };
    await using storage = await aTlsServer(asking, looking);
    await using server = await aTlsServer(asking, (request, response) => {
      shown.push(showed(request));
      response.writeHead(307, { location: `${storage.url}${request.url ?? ""}` }).end();
    });
    const { failed } = await askBoth(server.url, named(await company.issue()));
    expect(Array.isArray(failed)).toBe(true);
    expect(shown.slice(0, 2)).toEqual([true, false]);
  });

  it("that is no pair is named before anything is sent", async () => {
    const [one, two] = await Promise.all([company.issue(), company.issue()]);
    await expect(
      endpointsOf("harbor.corp", connecting("https://localhost:1", named({ ...one, keyFile: two.keyFile }))),
    ).rejects.toMatchObject({ code: "CONFIG_INVALID", facts: { file: two.keyFile } });
  });
});
