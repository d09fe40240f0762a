/** Why a TLS connection was not made, or is not trusted; each has a sentence and a remedy of its own. */
export type TlsFault =
  | "unknown-ca"
  | "missing-intermediate"
  | "expired"
  | "not-yet-valid"
  | "wrong-name"
  | "no-san"
  | "old-protocol"
  | "plain-http"
  | "client-certificate"
  | "handshake";
