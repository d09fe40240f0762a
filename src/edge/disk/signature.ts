import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { Failure } from "../../model/failure.ts";
import { readText } from "../files/read-text.ts";
import { errorCode, writeFailure } from "./errors.ts";

/**
 * Makes a key pair: `PATH` holds the private key (mode 0600), `PATH.pub` the public one. ECDSA P-256, because every
 * openssl since 1.0 checks it: `openssl dgst -sha256 -verify PATH.pub -signature SHA256SUMS.sig SHA256SUMS`.
 * @throws Failure FILE_EXISTS rather than replace a key
 */
export async function keygen(path: string): Promise<{ readonly privateKey: string; readonly publicKey: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const files = { privateKey: path, publicKey: `${path}.pub` };
  await create(files.privateKey, privateKey, 0o600);
  await create(files.publicKey, publicKey, 0o644);
  return files;
}

async function create(path: string, text: string, mode: number): Promise<void> {
  await writeFile(path, text, { mode, flag: "wx" }).catch((error: unknown) => {
    throw errorCode(error) === "EEXIST" ? new Failure("FILE_EXISTS", { path }) : writeFailure(error, path);
  });
}

export interface Signer {
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  readonly isSigned: (bytes: Uint8Array, signature: Uint8Array) => boolean;
}

const maxKey = 64 * 1024;

/** A DER signature has 70 to 72 bytes; half of all have this many. */
const signatureSize = 71;

/**
 * Reads a private key (PEM, not encrypted) to sign with. Its signatures all have one size: an interrupted build is gone on from with
 * a new signature in the place of the old one.
 * @throws Failure KEY_UNUSABLE
 */
export async function signer(path: string): Promise<Signer> {
  const pem = await readText(path, maxKey);
  const key = usable(() => createPrivateKey(pem), path);
  return {
    sign: (bytes) => {
      for (;;) {
        const signature = sign("sha256", bytes, key);
        if (signature.byteLength === signatureSize) return signature;
      }
    },
    isSigned: (bytes, signature) => verify("sha256", bytes, createPublicKey(key), signature),
  };
}

/** Whether `signature` is of `sums` by the holder of the key. @throws Failure KEY_UNUSABLE */
export function verifySignature(sums: Uint8Array, signature: Uint8Array, publicKeyPem: string): boolean {
  const key = usable(() => createPublicKey(publicKeyPem), "public key");
  return verify("sha256", sums, key, signature);
}

function usable(read: () => KeyObject, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw new Failure("KEY_UNUSABLE", { path, why: errorCode(cause) }, { cause });
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== "ec" || curve !== "prime256v1")
    throw new Failure("KEY_UNUSABLE", { path, why: `${key.asymmetricKeyType ?? "?"} ${curve ?? ""}`.trim() });
  return key;
}
