import ipaddr from "ipaddr.js";

/** `no-url`: it is none of http(s), as every plain name is; `address`: it leads to an address that only some can reach. */
export type RealmFault = "no-url" | "address";

/** RFC 1918, RFC 4193, loopback and link-local, as Go's `net.IP` tells them: RFC 6598 is not among them. */
const forbiddenRanges: ReadonlySet<string> = new Set(["private", "uniqueLocal", "loopback", "linkLocal"]);
const forbiddenNames: ReadonlySet<string> = new Set(["localhost", "metadata.google.internal"]);

/**
 * What the agents of Istio 1.27.8 and later say to a realm before they log in, in a challenge of whatever scheme
 * (`validateRealmURL` in pkg/wasm/imagefetcher.go); `undefined`: they go there.
 */
export function realmFault(realm: string): RealmFault | undefined {
  if (!/^https?:\/\/[^/]/i.test(realm) || !URL.canParse(realm)) return "no-url";
  const { hostname } = new URL(realm);
  const address = hostname.replace(/^\[|\]$/g, "");
  const isForbidden = ipaddr.isValid(address) && forbiddenRanges.has(ipaddr.process(address).range());
  return isForbidden || forbiddenNames.has(hostname) ? "address" : undefined;
}
