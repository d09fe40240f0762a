interface Dialled {
  readonly host: string;
  readonly address: string;
}

/**
 * A failed request in the words of Go, which is what an operator reads in `kubectl describe pod` and what our doctor
 * has to classify. The texts are those of Go's net and crypto/x509; the mapping from Node's codes is ours.
 */
export function inGoWords(error: unknown, dialled: Dialled): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return words[code]?.(dialled) ?? message;
}

export function noSuchHost(host: string): string {
  return `dial tcp: lookup ${host} on 10.96.0.10:53: no such host`;
}

const x509 = (what: string) => `tls: failed to verify certificate: x509: ${what}`;
const unknownAuthority = () => x509("certificate signed by unknown authority");
const notTls = () => "http: server gave HTTP response to HTTPS client";

const words: Readonly<Record<string, (dialled: Dialled) => string>> = {
  ENOTFOUND: ({ host }) => noSuchHost(host),
  ECONNREFUSED: ({ address }) => `dial tcp ${address}: connect: connection refused`,
  ETIMEDOUT: ({ address }) => `dial tcp ${address}: i/o timeout`,
  ECONNRESET: () => "EOF",
  CERT_HAS_EXPIRED: () => x509("certificate has expired or is not yet valid"),
  ERR_TLS_CERT_ALTNAME_INVALID: ({ host }) =>
    x509(`certificate is not valid for any names, but wanted to match ${host}`),
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  // An HTTPS client at a plain server; which of the three depends on the OpenSSL that Node was built with.
  EPROTO: notTls,
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
};
