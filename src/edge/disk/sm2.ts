import type { KeyObject } from "node:crypto";
// Imported by name and at once, and this module by whoever needs it: packed, a CommonJS library that is imported late has no
// names but `default`.
import { sm2 } from "sm-crypto-v2";

/**
 * The identity that GM/T 0009-2012 gives a signer who has none of his own. It is hashed before what is signed; Node signs with an
 * empty one, and no option sets it, so a library does. OpenSSL 3 takes it as `-sigopt distid:1234567812345678`, GmSSL by itself.
 */
const userId = "1234567812345678";
const options = { hash: true, der: true, userId } as const;

/** SM2 with SM3, DER, as OpenSSL 3 and GmSSL check it: GB/T 32918.2, GM/T 0009. */
export const sm2Scheme = {
  sign: (bytes: Uint8Array, key: KeyObject): Uint8Array =>
    Buffer.from(sm2.doSignature(bytes, scalarOf(key), options), "hex"),
  /** What is no DER at all is no signature. */
  verify: (bytes: Uint8Array, signature: Uint8Array, key: KeyObject): boolean => {
    try {
      return sm2.doVerifySignature(bytes, Buffer.from(signature).toString("hex"), pointOf(key), options);
    } catch {
      return false;
    }
  },
};

/** Of `ECPrivateKey` (RFC 5915): version 1, then the 32 bytes. */
const beforeScalar = Buffer.from("0201010420", "hex");

function scalarOf(key: KeyObject): string {
  const der = key.export({ type: "pkcs8", format: "der" });
  const at = der.indexOf(beforeScalar) + beforeScalar.byteLength;
  return der.toString("hex", at, at + 32);
}

/** Uncompressed, 65 bytes: what a `SubjectPublicKeyInfo` (RFC 5480) ends with. */
function pointOf(key: KeyObject): string {
  return key.export({ type: "spki", format: "der" }).subarray(-65).toString("hex");
}
