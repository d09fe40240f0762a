import { X509Certificate } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { Failure } from "../../model/failure.ts";
import { decodeText, EncodingError } from "../../std/decode-text.ts";
import { shellWord } from "../../std/shell-word.ts";
import { readBytes } from "../files/read-text.ts";
import type { ClientKeyPair } from "./access.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where distributions keep the roots that their administrators add to: RHEL and Kylin, Debian, SUSE. */
const systemBundles = [
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/ssl/ca-bundle.pem",
] as const;

/** A bundle of all public roots is 220 KB. */
const maxSize = 16 * 1024 * 1024;

export interface RootsOptions {
  readonly env: Env;
  /** The directory's name in `certs.d`: `harbor.corp:8443`. */
  readonly host: string;
  /** A file that the user named, PEM or DER; it must be there. */
  readonly ca?: string | undefined;
  /** @default /etc/docker/certs.d */
  readonly certsDirectory?: string | undefined;
}

/**
 * What is trusted besides Node's own roots: what the user named, what docker trusts for this host, what the system
 * trusts. Node 20 reads none of these, and a site's CA usually was given to the system.
 * @throws Failure FILE_MISSING, FILE_UNREADABLE, CONFIG_INVALID for the named file only
 */
export async function loadRoots(options: RootsOptions): Promise<readonly string[]> {
  const { env, host, ca, certsDirectory = "/etc/docker/certs.d" } = options;
  const named = ca === undefined ? [] : [await readCertificates(ca)];
  const docker = await readDirectory(join(certsDirectory, host));
  const ownBundle = env["SSL_CERT_FILE"] || undefined;
  const system = await readFirst(ownBundle === undefined ? systemBundles : [ownBundle]);
  const extra = await readFirst([env["NODE_EXTRA_CA_CERTS"] ?? ""]);
  return [...named, ...docker, ...system, ...extra];
}

/**
 * The certificates of a file as PEM, and nothing else of it: a key or a text beside them stays here, and those that are DER
 * are turned into it. Nodes and gateways are given this text, and to Go a certificate behind a byte order mark is none.
 * @throws Failure FILE_MISSING, FILE_UNREADABLE, FILE_ENCODING, CONFIG_INVALID for what has no certificate that can be read
 * here, or one that cannot be: whoever trusts the others would not miss it until later
 */
export async function readCertificates(path: string): Promise<string> {
  const bytes = await readBytes(path, maxSize);
  const { text, encoding } = pemText(bytes);
  if (pemCertificate.test(text)) return pemCertificates(path, text);
  try {
    return new X509Certificate(bytes).toString();
  } catch {
    if (encoding?.startsWith("UTF-16") === true) throw new Failure("FILE_ENCODING", { path, encoding });
    throw new Failure("CONFIG_INVALID", { file: path, problems: whatElse(path, text, bytes) });
  }
}

/** Each block by itself: what was copied out of a mail may be indented, or have lost its line ends or its last lines. */
function pemCertificates(path: string, text: string): string {
  return text
    .split(/(?=-----BEGIN )/)
    .filter((part) => pemCertificate.test(part))
    .map((part, at) => {
      const [, body] = /^-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]*)-----END /.exec(part) ?? [];
      try {
        return new X509Certificate(Buffer.from(body ?? "", "base64")).toString();
      } catch {
        const problems = `certificate ${at + 1} in this file is cut off or damaged: copy it again`;
        throw new Failure("CONFIG_INVALID", { file: path, problems });
      }
    })
    .join("");
}

/** As Windows may have saved it. A comment in whatever encoding does no harm; DER is no text, and looks like one. */
function pemText(bytes: Buffer): { readonly text: string; readonly encoding?: string } {
  try {
    return { text: decodeText(bytes).replaceAll("\r\n", "\n") };
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    return { text: bytes.toString("utf8"), encoding: error.encoding };
  }
}

const pemCertificate = /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/;
/** 1.2.840.113549.1.7.2, signedData: https://www.rfc-editor.org/rfc/rfc2315#section-14 */
const signedData = Buffer.from("06092a864886f70d010702", "hex");

/** What was named instead, with the command that makes a certificate file of it. */
function whatElse(path: string, text: string, bytes: Buffer): string {
  const command = `-print_certs -in ${shellWord(path)} -out ca.pem`;
  if (text.includes("-----BEGIN PKCS7-----")) return `PKCS#7: openssl pkcs7 ${command}`;
  if (bytes.subarray(0, 64).includes(signedData)) return `PKCS#7 (DER): openssl pkcs7 -inform der ${command}`;
  return text.includes("PRIVATE KEY-----")
    ? "expected a certificate, not a private key"
    : "expected a certificate, PEM or DER";
}

/** @throws Failure FILE_MISSING, FILE_UNREADABLE, CONFIG_INVALID for what is no such pair, or whose key wants a password */
export async function loadKeyPair(
  { cert, key }: { readonly cert: string; readonly key: string },
  baseDirectory: string,
): Promise<ClientKeyPair> {
  const [certPath, keyPath] = [resolve(baseDirectory, cert), resolve(baseDirectory, key)];
  const pair = { cert: await readCertificates(certPath), key: pemText(await readBytes(keyPath, maxSize)).text };
  try {
    createSecureContext(pair);
  } catch (error) {
    const why = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : "";
    throw new Failure("CONFIG_INVALID", { file: keyPath, problems: `PEM PRIVATE KEY? ${why}`.slice(0, 200) });
  }
  return pair;
}

/** `*.crt` are roots; `*.cert` and `*.key` are a client's pair, which Harbor does not ask for. */
async function readDirectory(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  const files = names.filter((name) => name.endsWith(".crt")).sort();
  return (await Promise.all(files.map((name) => readOptional(join(directory, name))))).filter((text) => text !== "");
}

async function readFirst(paths: readonly string[]): Promise<readonly string[]> {
  for (const path of paths) {
    const text = path === "" ? "" : await readOptional(path);
    if (text !== "") return [text];
  }
  return [];
}

async function readOptional(path: string): Promise<string> {
  const text = await readBytes(path, maxSize).then(
    (bytes) => pemText(bytes).text,
    () => "",
  );
  return pemCertificate.test(text) ? text : "";
}
