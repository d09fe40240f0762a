/** RFC 1918, RFC 6598, loopback and link-local. */
const privateV4 = [
  /^10\./,
  /^127\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
  /^169\.254\./,
] as const;
/** RFC 4193, loopback and link-local. */
const privateV6 = [/^::1$/, /^f[cd][0-9a-f]{2}:/, /^fe[89ab][0-9a-f]:/] as const;

/** A literal address that only some networks can reach. A name is never one. */
export function isPrivateAddress(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host.includes(":")) return privateV6.some((range) => range.test(host));
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && privateV4.some((range) => range.test(host));
}
