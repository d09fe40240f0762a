import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/failure.ts";
import { readBytes } from "../files/read-text.ts";

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
  /** A PEM file that the user named; it must be there. */
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
  const named = ca === undefined ? [] : [await readNamed(ca)];
  const docker = await readDirectory(join(certsDirectory, host));
  const ownBundle = env["SSL_CERT_FILE"] || undefined;
  const system = await readFirst(ownBundle === undefined ? systemBundles : [ownBundle]);
  const extra = await readFirst([env["NODE_EXTRA_CA_CERTS"] ?? ""]);
  return [...named, ...docker, ...system, ...extra];
}

async function readNamed(path: string): Promise<string> {
  const text = (await readBytes(path, maxSize)).toString("utf8");
  if (!text.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Failure("CONFIG_INVALID", { file: path, problems: "PEM CERTIFICATE?" });
  }
  return text;
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
    (bytes) => bytes.toString("utf8"),
    () => "",
  );
  return text.includes("-----BEGIN CERTIFICATE-----") ? text : "";
}
