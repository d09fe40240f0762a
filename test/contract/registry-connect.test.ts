import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectRegistry } from "../../src/edge/registry/connect.ts";
import { aDockerRegistry, dockerRegistryUnavailable } from "../rig/registry-process.ts";
import { aTempDirectory } from "../rig/temp-directory.ts";
import { aCertificateAuthority } from "../rig/tls.ts";

const htpasswd = { user: "ann", password: "s3cret" };

describe.skipIf(dockerRegistryUnavailable())("connectRegistry", () => {
  it("trusts what docker trusts for the host, and logs in as docker would", async () => {
    await using home = await aTempDirectory();
    await using authority = await aCertificateAuthority();
    await using server = await aDockerRegistry({ tls: authority, htpasswd });
    await mkdir(join(home.path, "certs.d", server.host), { recursive: true });
    await copyFile(authority.caFile, join(home.path, "certs.d", server.host, "ca.crt"));
    await mkdir(join(home.path, ".docker"));
    const auth = Buffer.from(`${htpasswd.user}:${htpasswd.password}`).toString("base64");
    await writeFile(join(home.path, ".docker/config.json"), JSON.stringify({ auths: { [server.host]: { auth } } }));
    const options = { registries: {}, baseDirectory: home.path, env: { HOME: home.path }, side: "target" } as const;
    await using registry = await connectRegistry(server.host, {
      ...options,
      certsDirectory: join(home.path, "certs.d"),
    });
    expect((await registry.ping()).authenticated).toBe(200);
    await using stranger = await connectRegistry(server.host, { ...options, certsDirectory: "/nowhere" });
    await expect(stranger.ping()).rejects.toMatchObject({ code: "REGISTRY_TLS", side: "target" });
  });

  it("reaches a host by the mirror that the spec names, with its CA and its password from files beside the spec", async () => {
    await using home = await aTempDirectory();
    await using authority = await aCertificateAuthority();
    await using server = await aDockerRegistry({ tls: authority, htpasswd });
    await copyFile(authority.caFile, join(home.path, "ca.pem"));
    await writeFile(join(home.path, "password"), `${htpasswd.password}\n`);
    const credentials = { username: htpasswd.user, passwordFile: "password" };
    const registries = {
      "docker.io": { endpoints: [{ url: server.url, ca: "ca.pem", insecure: false, credentials }] },
    };
    await using registry = await connectRegistry("docker.io", {
      registries,
      baseDirectory: home.path,
      env: {},
      side: "source",
    });
    expect(registry.host).toBe("docker.io");
    expect(await registry.ping()).toMatchObject({ origin: server.url, authenticated: 200 });
  });

  it("says which CA file is not there, or is none", async () => {
    await using home = await aTempDirectory();
    await writeFile(join(home.path, "text.pem"), "no certificate");
    const options = { registries: {}, baseDirectory: home.path, env: {}, side: "target" } as const;
    await expect(connectRegistry("harbor.corp", { ...options, ca: "no.pem" })).rejects.toMatchObject({
      code: "FILE_MISSING",
      facts: { path: join(home.path, "no.pem") },
    });
    const failure: unknown = await connectRegistry("harbor.corp", { ...options, ca: "text.pem" }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: "CONFIG_INVALID" });
    expect(basename((failure as { facts: { file: string } }).facts.file)).toBe("text.pem");
  });

  it("speaks plain http only where it is told to", async () => {
    await using server = await aDockerRegistry();
    const options = { registries: {}, baseDirectory: "/", env: {}, side: "target" } as const;
    await using plain = await connectRegistry(server.host, { ...options, plainHttp: true });
    expect((await plain.ping()).status).toBe(200);
    await using encrypted = await connectRegistry(server.host, options);
    await expect(encrypted.ping()).rejects.toMatchObject({ code: "REGISTRY_TLS" });
  });
});
