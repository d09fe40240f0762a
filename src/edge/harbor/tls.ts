import { X509Certificate } from "node:crypto";
import { connect as connectTcp } from "node:net";
import { connect as connectTls, type PeerCertificate, type TLSSocket } from "node:tls";
import { Failure, type TlsFault } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import type { EndpointAccess } from "../registry/access.ts";
import { trusting } from "../registry/undici-transport.ts";
import { networkReason, tlsFault, tlsReason } from "../registry/network-error.ts";

export interface SeenTls {
  /** Node's name for why it is not trusted; `undefined`: it is. */
  readonly distrust: string | undefined;
  readonly fault: TlsFault | undefined;
  readonly issuer: string;
  readonly names: string;
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

const patience = 10_000;

/**
 * Opens a connection and reads the certificate; nothing is sent.
 * @throws Failure REGISTRY_UNREACHABLE, REGISTRY_TLS when what answers does not speak TLS
 */
export async function lookAtDoor(
  access: Pick<EndpointAccess, "origin" | "ca" | "client" | "caNamed">,
  host: string,
  signal?: AbortSignal,
): Promise<{ readonly tls?: SeenTls }> {
  const url = new URL(access.origin);
  const address = url.hostname.replace(/^\[|\]$/g, "");
  try {
    if (url.protocol === "http:") {
      await opened(connectTcp({ host: address, port: Number(url.port || 80), timeout: patience }), "connect", signal);
      return {};
    }
    const isName = !/^[\d.]+$|:/.test(address);
    const socket = connectTls({
      host: address,
      port: Number(url.port || 443),
      secureContext: trusting(access.ca, access.client),
      // Looked at rather than trusted: the socket is closed before a byte of ours.
      rejectUnauthorized: false,
      timeout: patience,
      ...(isName && { servername: address }),
    });
    return { tls: await opened(socket, "secureConnect", signal, () => seen(socket, access.caNamed === true)) };
  } catch (error) {
    signal?.throwIfAborted();
    throw failureOf(error, host, access.caNamed === true);
  }
}

type Opening = ReturnType<typeof connectTcp>;

function opened<T>(socket: Opening, event: string, signal?: AbortSignal, look?: () => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const end = (work: () => void): void => {
      signal?.removeEventListener("abort", onAbort);
      work();
      socket.destroy();
    };
    const onAbort = (): void => end(() => reject(new DOMException("aborted", "AbortError")));
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    socket.once(event, () => end(() => resolve(look?.() as T)));
    socket.once("error", (error) => end(() => reject(error)));
    socket.once("timeout", () => end(() => reject(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" }))));
  });
}

function seen(socket: TLSSocket, caNamed: boolean): SeenTls {
  const certificate = socket.getPeerCertificate();
  // The types say Error; Node gives the code as a string.
  const why: unknown = socket.authorizationError;
  const distrust = socket.authorized ? undefined : sanitize(why instanceof Error ? why.message : String(why), 100);
  // Node goes by the common name where there is no other; Go, and so nodes and gateways, do not.
  const unnamed = certificate.subjectaltname === undefined && (distrust === undefined || /ALTNAME/.test(distrust));
  return {
    distrust: unnamed ? "no subjectAltName" : distrust,
    fault: unnamed ? "no-san" : distrust === undefined ? undefined : tlsFault(distrust, caNamed),
    issuer: sanitize(printName(certificate.issuer), 150),
    names: sanitize(certificate.subjectaltname ?? "-", 200),
    validUntil: Date.parse(certificate.valid_to),
  };
}

function printName(name: PeerCertificate["issuer"] | undefined): string {
  return [name?.CN, name?.O].filter((part) => part !== undefined).join(", ") || "-";
}

function failureOf(error: unknown, host: string, caNamed: boolean): unknown {
  const tls = tlsReason(error);
  const options = { side: "target", cause: error } as const;
  if (tls !== undefined)
    return new Failure("REGISTRY_TLS", { host, fault: tlsFault(tls, caNamed), reason: sanitize(tls, 200) }, options);
  const network = networkReason(error);
  if (network === undefined) return error;
  return new Failure(
    "REGISTRY_UNREACHABLE",
    { host, action: "connect", reason: sanitize(network.reason, 200) },
    options,
  );
}

/** SHA-256 of the first certificate of a PEM text, as `openssl x509 -fingerprint -sha256` prints it. */
export function fingerprintOf(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return undefined;
  }
}
