import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer as createPlainServer, type RequestListener } from "node:http";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import type { Certificate, CertificateAuthority } from "./tls.ts";

export async function aTlsServer(options: ServerOptions | "plain", listener: RequestListener) {
  const server = options === "plain" ? createPlainServer(listener) : createServer(options, listener);
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const host = `localhost:${String((server.address() as AddressInfo).port)}`;
  return {
    host,
    url: `https://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** OpenSSL's own: Node's server closes without the alert that all others send. */
export async function aStrictServer(company: Certificate & { readonly caFile: string }) {
  const port = await freePort();
  const { certFile, keyFile, caFile } = company;
  const own = ["-cert", certFile, "-key", keyFile, "-CAfile", caFile, "-Verify", "1", "-verify_return_error"];
  const server = spawn("openssl", ["s_server", "-accept", String(port), ...own, "-www"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(server.stdout, "data");
  return {
    url: `https://localhost:${String(port)}`,
    async [Symbol.asyncDispose]() {
      server.kill();
      await once(server, "exit");
    },
  };
}

/** A certificate for one name, and not for this machine. */
export async function onlyFor(name: string, company: CertificateAuthority, folder: string): Promise<Certificate> {
  const [certFile, keyFile, ext] = ["only.crt", "only.key", "only.ext"].map((each) => join(folder, each)) as [
    string,
    string,
    string,
  ];
  await writeFile(ext, `subjectAltName=DNS:${name}\n`);
  const request = [
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-keyout",
    keyFile,
    "-out",
    join(folder, "only.csr"),
    "-subj",
    "/CN=x",
  ];
  execFileSync("openssl", request, { stdio: "ignore" });
  const sign = [
    "x509",
    "-req",
    "-in",
    join(folder, "only.csr"),
    "-CA",
    company.caFile,
    "-CAcreateserial",
    "-days",
    "9",
  ];
  const ca = ["-CAkey", company.caFile.replace(/\.crt$/, ".key"), "-extfile", ext, "-out", certFile];
  execFileSync("openssl", [...sign, ...ca], { stdio: "ignore" });
  return { certFile, keyFile };
}
