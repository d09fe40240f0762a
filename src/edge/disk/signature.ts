import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { rm } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";
import type { SignatureAlgorithm } from "../../model/choices.ts";
import { createFile } from "../files/replace.ts";
import { readBytes, readText } from "../files/read-text.ts";
import { errorCode, writeFailure } from "./errors.ts";

const curves = { ecdsa: "P-256", sm2: "SM2" } as const;

/**
 * Makes a key pair: `PATH` holds the private key (mode 0600), `PATH.pub` the public one. ECDSA P-256 unless asked, because
 * every openssl since 1.0 checks it: `openssl dgst -sha256 -verify PATH.pub -signature SHA256SUMS.sig SHA256SUMS`.
 * @throws Failure FILE_EXISTS rather than replace a key
 */
export async function keygen(
  path: string,
  algorithm: SignatureAlgorithm = "ecdsa",
): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: curves[algorithm],
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const files = { privateKey: path, publicKey: `${path}.pub` };
  await create(files.privateKey, privateKey, 0o600);
  try {
    await create(files.publicKey, publicKey, 0o644);
  } catch (error) {
    // Half a pair beside the public key of another one is a pair that does not fit.
    await rm(files.privateKey, { force: true });
    throw error;
  }
  return files;
}

async function create(path: string, text: string, mode: number): Promise<void> {
  await createFile(path, text, { mode }).catch((error: unknown) => {
    throw errorCode(error) === "EEXIST" ? new Failure("FILE_EXISTS", { path }) : writeFailure(error, path, text.length);
  });
}

export interface Signer {
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly isSigned: (bytes: Uint8Array, signature: Uint8Array) => boolean;
}

interface KeyFile {
  readonly path: string;
  readonly written: string | Buffer;
}

const maxKey = 64 * 1024;

/** A DER signature of either algorithm has 70 to 72 bytes; half of all have this many. */
const signatureSize = 71;

/**
 * Reads a private key (PEM, not encrypted) to sign with. Its signatures all have one size: an interrupted build is gone on from with
 * a new signature in the place of the old one.
 * @throws Failure KEY_UNUSABLE
 */
export async function signer(path: string): Promise<Signer> {
  const written = await readKey(path);
  const key = usable(
    () => createPrivateKey(typeof written === "string" ? written : { key: written, format: "der", type: "pkcs8" }),
    { path, written },
  );
  const { sign: one, verify: holds } = await schemeOf(key);
  return {
    sign: (bytes) => {
      for (;;) {
        const signature = one(bytes, key);
        if (signature.byteLength === signatureSize) return signature;
      }
    },
    isSigned: (bytes, signature) => holds(bytes, signature, createPublicKey(key)),
  };
}

/** Whether `signature` is of `sums` by the holder of the key whose public half is at `path`. @throws Failure KEY_UNUSABLE */
export async function verifySignature(sums: Uint8Array, signature: Uint8Array, path: string): Promise<boolean> {
  const written = await readKey(path);
  const key = usable(
    () => createPublicKey(typeof written === "string" ? written : { key: written, format: "der", type: "spki" }),
    { path, written },
  );
  const { verify: holds } = await schemeOf(key);
  return holds(sums, signature, key);
}

/**
 * The first of these files whose public key the signature fits; `undefined` where none does.
 * @throws Failure KEY_UNUSABLE, FILE_MISSING, FILE_UNREADABLE
 */
export async function fittingKey(
  sums: Uint8Array,
  signature: Uint8Array,
  keyPaths: readonly string[],
): Promise<string | undefined> {
  for (const path of keyPaths) if (await verifySignature(sums, signature, path)) return path;
  return undefined;
}

/** PEM, or DER, which is no text: every key in it is a sequence, and so begins with this. */
async function readKey(path: string): Promise<string | Buffer> {
  const bytes = await readBytes(path, maxKey);
  return bytes[0] === 0x30 ? bytes : readText(path, maxKey);
}

interface Scheme {
  readonly sign: (bytes: Uint8Array, key: KeyObject) => Uint8Array;
  readonly verify: (bytes: Uint8Array, signature: Uint8Array, key: KeyObject) => boolean;
}

const ecdsa: Scheme = {
  sign: (bytes, key) => sign("sha256", bytes, key),
  verify: (bytes, signature, key) => verify("sha256", bytes, key, signature),
};

async function schemeOf(key: KeyObject): Promise<Scheme> {
  return algorithmOf(key) === "sm2" ? (await import("./sm2.ts")).sm2Scheme : ecdsa;
}

/** The object identifier 1.2.156.10197.1.301 of GB/T 33560, in DER. */
const sm2Curve = Buffer.from("06082a811ccf5501822d", "hex");

/** Node names no type and no curve for a key on the curve of SM2 (20 and 24 tried), so its DER is looked at. */
function algorithmOf(key: KeyObject): SignatureAlgorithm | undefined {
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return "ecdsa";
  if (key.asymmetricKeyType !== undefined) return undefined;
  const der =
    key.type === "private" ? key.export({ type: "pkcs8", format: "der" }) : key.export({ type: "spki", format: "der" });
  return der.includes(sm2Curve) ? "sm2" : undefined;
}

function usable(read: () => KeyObject, { path, written }: KeyFile): KeyObject {
  let key: KeyObject;
  try {
    key = read();
    if (algorithmOf(key) !== undefined) return key;
  } catch (cause) {
    throw new Failure("KEY_UNUSABLE", { path, why: whyNoKey(written.toString()) }, { cause });
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  throw new Failure("KEY_UNUSABLE", { path, why: `${key.asymmetricKeyType ?? "?"} ${curve ?? ""}`.trim() });
}

/** OpenSSL has one code for all of them. */
function whyNoKey(pem: string): string {
  if (pem.includes("PUBLIC KEY-----")) return "public key";
  return /ENCRYPTED/.test(pem) ? "passphrase" : "no key";
}
