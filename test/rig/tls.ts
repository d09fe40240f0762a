import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A server certificate and its key, PEM. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  /** DNS names besides `localhost`; `127.0.0.1` and `::1` are always in it. */
  readonly names?: readonly string[];
  /** It ended yesterday. */
  readonly expired?: boolean;
  /** It begins in 2048. */
  readonly early?: boolean;
  /** How long it holds from now. @default 30 */
  readonly days?: number;
  /** A common name and nothing else, as of twenty years ago. */
  readonly noNames?: boolean;
  /** May sign others. */
  readonly isAuthority?: boolean;
  /** Who signs it. @default the CA itself */
  readonly by?: Certificate;
}

/** A private CA as a company has one, and a certificate that it signed for a server on loopback. */
export interface CertificateAuthority extends Certificate, AsyncDisposable {
  readonly caFile: string;
  /** Signs one more. */
  issue(options?: CertificateOptions): Promise<Certificate>;
  /** Of `certFile` and `keyFile`, as `serve` and `https.createServer` take them. */
  readonly tls: { readonly cert: string; readonly key: string };
}

/** Two of them are two companies: neither trusts what the other signed. */
export async function aCertificateAuthority(options: CertificateOptions = {}): Promise<CertificateAuthority> {
  const directory = await mkdtemp(join(tmpdir(), "higress-airgap-tls-"));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const caFile = join(directory, "ca.crt");
    await openssl(
      "req",
      "-x509",
      ...newKey(join(directory, "ca.key")),
      "-out",
      caFile,
      "-days",
      "30",
      ...subject("CA"),
    );
    let issued = 0;
    const issue = (each: CertificateOptions = {}) => sign(directory, `server-${String((issued += 1))}`, each);
    const { certFile, keyFile } = await issue(options);
    const tls = { cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
    return { caFile, certFile, keyFile, tls, issue, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function sign(directory: string, name: string, options: CertificateOptions): Promise<Certificate> {
  const file = (extension: string) => join(directory, `${name}.${extension}`);
  const names = ["localhost", ...(options.names ?? [])].map((dns) => `DNS:${dns}`);
  const named = options.noNames === true ? "" : `subjectAltName=${[...names, "IP:127.0.0.1", "IP:::1"].join(",")}\n`;
  await writeFile(file("ext"), `${named}basicConstraints=CA:${options.isAuthority === true ? "TRUE" : "FALSE"}\n`);
  await openssl("req", ...newKey(file("key")), "-out", file("csr"), ...subject(name));
  // -1: one of the few ways to make a certificate that is over without waiting or turning the clock.
  const days = options.expired === true ? "-1" : String(options.days ?? 30);
  const by = options.by ?? { certFile: join(directory, "ca.crt"), keyFile: join(directory, "ca.key") };
  // A serial of its own: a file that counts them is written by two at once when two are issued at once.
  const serial = `0x${randomBytes(8).toString("hex")}`;
  if (options.early === true) await signEarly(file, by, serial.slice(2));
  else {
    const ca = ["-CA", by.certFile, "-CAkey", by.keyFile, "-set_serial", serial];
    await openssl(
      "x509",
      "-req",
      "-in",
      file("csr"),
      ...ca,
      "-days",
      days,
      "-extfile",
      file("ext"),
      "-out",
      file("crt"),
    );
  }
  return { certFile: file("crt"), keyFile: file("key") };
}

/** `x509 -req` takes no beginning before OpenSSL 3.4; `ca` does, and wants a database for it. */
async function signEarly(file: (extension: string) => string, by: Certificate, serial: string): Promise<void> {
  const rows = [
    "[ca]\ndefault_ca=own\n[own]",
    `database=${file("index")}`,
    `serial=${file("serial")}`,
    `new_certs_dir=${dirname(file("crt"))}`,
    "default_md=sha256\npolicy=any\n[any]\nO=optional\nCN=supplied\n",
  ];
  await writeFile(file("cnf"), rows.join("\n"));
  await writeFile(file("index"), "");
  await writeFile(file("serial"), `${serial}\n`);
  const times = ["-startdate", "20480101000000Z", "-enddate", "20490101000000Z"];
  const keys = ["-cert", by.certFile, "-keyfile", by.keyFile, "-in", file("csr"), "-extfile", file("ext")];
  await openssl("ca", "-batch", "-notext", "-config", file("cnf"), ...times, ...keys, "-out", file("crt"));
}

const newKey = (keyFile: string) =>
  ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile] as const;
const subject = (name: string) => ["-subj", `/O=higress-airgap test/CN=${name}`] as const;

async function openssl(...args: readonly string[]): Promise<void> {
  await run("openssl", args);
}
