import type { TlsFault } from "../../model/failure.ts";
import { UnusableProxy } from "./proxy.ts";

/** Node's and OpenSSL's names for "I do not trust or understand this TLS". */
const tlsCode =
  /^(CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|UNABLE_TO_|ERR_TLS_|ERR_SSL_|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|EPROTO$)/;

/** Names that a retry does not mend: a typing error stays one. EAI_AGAIN is a resolver that did not answer. */
const permanentCodes: ReadonlySet<string> = new Set(["ENOTFOUND", "ERR_INVALID_URL", "UND_ERR_INVALID_ARG", "EACCES"]);

interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly errors?: readonly unknown[];
}

/** By the codes of Node and OpenSSL; the first that fits. */
const faults: readonly (readonly [TlsFault, RegExp])[] = [
  ["expired", /CERT_HAS_EXPIRED/],
  ["not-yet-valid", /CERT_NOT_YET_VALID/],
  // Node lists the names that there are; where the list ends in nothing, there are none.
  ["no-san", /ALTNAME_INVALID.*(does not contain a DNS name|is not cert's CN|is not in the cert's list: *$)/s],
  ["wrong-name", /ALTNAME_INVALID|HOSTNAME_MISMATCH/],
  ["unknown-ca", /SELF_SIGNED|UNABLE_TO_|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE/],
  // The bytes that should be a TLS record are the start of an HTTP answer.
  ["plain-http", /WRONG_VERSION_NUMBER|wrong version number|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/],
  // Not handshake_failure (40): servers of TLS 1.2 say that for want of a certificate, and for want of a cipher, too.
  ["client-certificate", /CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_UNKNOWN_CA/i],
  ["client-certificate", /certificate required|alert bad certificate|alert unknown ca/],
  ["old-protocol", /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|_TOO_SMALL|_TOO_WEAK|unsupported protocol|protocol version/],
];

/**
 * Which of the known faults it is. `caNamed`: somebody has said which CA it is, so that the advice to name one would be
 * none: it is another, or what stands between it and the certificate was not sent.
 */
export function tlsFault(reason: string, caNamed: boolean): TlsFault {
  const found = faults.find(([, pattern]) => pattern.test(reason))?.[0] ?? "handshake";
  return found === "unknown-ca" && caNamed && reason.startsWith("UNABLE_TO_") ? "missing-intermediate" : found;
}

/** A short reason for a TLS error, with Node's code first; `undefined` when it is none. */
export function tlsReason(error: unknown): string | undefined {
  const found = chain(error).find((each) => tlsCode.test(each.code ?? ""));
  if (found === undefined) return undefined;
  // OpenSSL's text begins with a thread id and file names of the build machine.
  const openssl = found.message.replace(/^[0-9A-F]+:error:[0-9A-F]+:/i, "").replace(/:\.\.\/.*$/s, "");
  // Node 24 adds advice for those who start Node themselves; in the executable nobody can follow it.
  const text = openssl.replace(/; if the root CA is installed locally, try running Node\.js .*$/s, "");
  return `${found.code ?? ""} ${text}`.slice(0, 200).trim();
}

/** `ECONNREFUSED 10.0.0.1:443`; `undefined` for what did not come from the network. */
export function networkReason(error: unknown): { readonly reason: string; readonly permanent: boolean } | undefined {
  if (error instanceof UnusableProxy) return { reason: error.message, permanent: true };
  const found = chain(error).find((each) => /^(E[A-Z]|UND_ERR_|HPE_|HTTPParserError$)/.test(networkCode(each)));
  if (found === undefined) return undefined;
  const code = networkCode(found);
  const where = found.address ?? found.hostname;
  const place = where === undefined ? "" : ` ${where}${found.port === undefined ? "" : `:${found.port}`}`;
  // undici's own codes need their sentence: "other side closed", "Proxy response (403) !== 200 when HTTP Tunneling".
  const text = place === "" && /^(UND_ERR_|HPE_|HTTP)/.test(code) ? ` ${found.message}` : place;
  // A proxy that says no to a tunnel: undici has the status in its text only.
  const refused = /^Proxy response \(4\d\d\)/.test(found.message);
  return { reason: `${code}${text}`, permanent: refused || permanentCodes.has(code) };
}

/** undici's parser has no code for what came where a body was expected, as a size of a chunk that is none. */
function networkCode({ code, name }: SystemError): string {
  return typeof code === "string" ? code : name === "HTTPParserError" ? name : "";
}

/** The error, what it bundles (one per address tried), and its causes; bounded. */
function chain(error: unknown): readonly SystemError[] {
  const found: SystemError[] = [];
  const visit = (each: unknown, depth: number): void => {
    if (!(each instanceof Error) || depth > 4 || found.length > 16) return;
    // The bundled errors say an address, the bundle says only ECONNREFUSED.
    const { errors } = each as SystemError;
    for (const inner of errors ?? []) visit(inner, depth + 1);
    found.push(each);
    visit(each.cause, depth + 1);
  };
  visit(error, 0);
  return found;
}
