import { once } from "node:events";
import https from "node:https";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { aCertificateAuthority, type Certificate } from "../rig/tls.ts";

/** The error code of a request to a server with this certificate, or its status. */
async function answer(certificate: Certificate, caFile: string, name = "127.0.0.1"): Promise<string | number> {
  const server = https.createServer({
    cert: await readFile(certificate.certFile),
    key: await readFile(certificate.keyFile),
  });
  server.on("request", (_request, response) => response.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const ca = await readFile(caFile);
  try {
    return await new Promise((resolve) => {
      https
        .get(
          { host: "127.0.0.1", port, servername: name === "127.0.0.1" ? "" : name, ca, agent: false },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        )
        .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("aCertificateAuthority", () => {
  it("makes certificates that hold for loopback and the given names, and for whoever trusts it only", async () => {
    await using ours = await aCertificateAuthority({ names: ["harbor.corp"] });
    await using theirs = await aCertificateAuthority();
    expect(await answer(ours, ours.caFile)).toBe(200);
    expect(await answer(ours, ours.caFile, "harbor.corp")).toBe(200);
    expect(await answer(ours, ours.caFile, "other.corp")).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(await answer(ours, theirs.caFile)).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  it("makes one that is over", async () => {
    await using authority = await aCertificateAuthority();
    expect(await answer(await authority.issue({ expired: true }), authority.caFile)).toBe("CERT_HAS_EXPIRED");
  });
});
