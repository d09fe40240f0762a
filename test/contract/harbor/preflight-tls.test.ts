import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aHarbor, type Harbor } from "../../rig/harbor/harbor.ts";
import { codes, factsOf, preflight, puller, pusher } from "../../rig/harbor/preflight.ts";
import { aCertificateAuthority, type CertificateAuthority } from "../../rig/tls.ts";

describe("preflightRegistry over TLS", () => {
  let company: CertificateAuthority;
  let secure: Harbor;
  let ca: string;
  beforeAll(async () => {
    company = await aCertificateAuthority();
    ca = await readFile(company.caFile, "utf8");
    secure = await aHarbor({ tls: company.tls, projects: { p: {} }, users: [pusher, puller] });
  });
  afterAll(async () => {
    await secure[Symbol.asyncDispose]();
    await company[Symbol.asyncDispose]();
  });

  it("is content with the company's CA, and tells when the certificate ends soon", async () => {
    const { findings } = await preflight({ at: secure, access: { ca: [ca] } });
    expect(codes(findings)).toEqual(["note registry.harbor", "warning registry.tls-expiring"]);
  });

  it("names issuer and names of a certificate it does not trust, and the CA that Harbor offers", async () => {
    secure.set({ ca });
    const before = secure.requests.length;
    const { findings } = await preflight({ at: secure });
    expect(factsOf(findings, "registry.tls")).toMatchObject({
      reason: expect.stringMatching(/issuer CA, higress-airgap test; names DNS:localhost.*127\.0\.0\.1/) as string,
    });
    expect(factsOf(findings, "registry.ca-offered")).toMatchObject({
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string,
    });
    expect(secure.requests.slice(before).map(({ authorization }) => authorization)).toEqual(["none"]);
  });

  it("says loudly that it was told not to look", async () => {
    const { findings } = await preflight({ at: secure, access: { insecure: true }, input: { insecure: true } });
    expect(codes(findings)).toContain("warning registry.insecure");
  });
});
