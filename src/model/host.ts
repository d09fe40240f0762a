import { domainToASCII } from "node:url";
import ipaddr from "ipaddr.js";

export interface HostPlace {
  readonly name: string;
  readonly port: string;
}

/**
 * A host as it is compared: names in lower case, those of other scripts as DNS has them (RFC 5891), without the dot that may
 * end a full one; addresses in the one notation of RFC 5952, without brackets.
 */
export function hostPlace(host: string): HostPlace {
  const [, named = "", port = ""] =
    addressOf(host) === undefined ? (/^(.*?)(?::(\d+))?$/s.exec(host) ?? []) : ["", host];
  const address = addressOf(named);
  if (address !== undefined) return { name: address.toString(), port };
  return { name: asciiName(named).replace(/(?<=.)\.$/, ""), port };
}

function asciiName(name: string): string {
  const lower = name.toLowerCase();
  // What no name can be made of stays as it is; of ASCII, Node would make addresses: `0x7f.1`.
  return /^[\u0000-\u007f]*$/.test(lower) ? lower : domainToASCII(lower) || lower;
}

export function isSamePlace(one: HostPlace, other: HostPlace): boolean {
  return one.name === other.name && one.port === other.port;
}

/** Two labels, as Kubernetes resolves them: more of them, and `vendor.dev` would be of a namespace `dev`. */
export function isServiceIn(namespaces: readonly string[], name: string): boolean {
  const [, namespace, ...more] = name.split(".");
  return namespace !== undefined && more.length === 0 && namespaces.includes(namespace);
}

/** `console.higress-system.svc.corp.local`: a cluster may have another domain, behind a Service and its namespace. */
const clusterHost =
  /^(localhost|127\.[\d.]+|0\.0\.0\.0|::1?|.+\.svc|[^.]+\.[^.]+(\.[^.]+)*\.svc\..+|(.*\.)?cluster\.local)$/;

/** By its name alone: of this host, of the cluster, or an address, with which only the intranet can be meant. */
export function isOfNetwork(name: string): boolean {
  return clusterHost.test(name) || isPrivateAddress(name);
}

/** A pattern of the site without a port means every port. */
export function fitsPattern(pattern: string, place: HostPlace): boolean {
  if (pattern.includes("/")) return isInRange(place.name, pattern);
  const { name, port } = hostPlace(pattern.replace(/^\*\./, ""));
  const isNamed = pattern.startsWith("*.") ? place.name.endsWith(`.${name}`) : name === place.name;
  return isNamed && (port === "" || port === place.port);
}

function isInRange(name: string, range: string): boolean {
  const address = addressOf(name);
  if (address === undefined) return false;
  const [base, bits] = ipaddr.parseCIDR(range);
  return address.kind() === base.kind() && address.match(base, bits);
}

/** A literal address in the usual notation; no resolver is ever asked, and `0x7f.1` is a name. */
function addressOf(hostname: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return ipaddr.IPv4.parse(host);
  return host.includes(":") && ipaddr.IPv6.isValid(host) ? ipaddr.process(host) : undefined;
}

/** RFC 1918, RFC 6598, RFC 4193, loopback and link-local, as ipaddr.js names them. */
const privateRanges: ReadonlySet<string> = new Set([
  "private",
  "carrierGradeNat",
  "uniqueLocal",
  "loopback",
  "linkLocal",
]);

/** A literal address that only some networks can reach. A name is never one. */
function isPrivateAddress(hostname: string): boolean {
  const address = addressOf(hostname);
  return address !== undefined && privateRanges.has(address.range());
}

/** A host, a host with its port, `*.` and a domain, or a range of addresses: what `inside:` of a site file may hold. */
export function isInsidePattern(text: string): boolean {
  if (text.includes("/")) return ipaddr.isValidCIDR(text);
  const { name } = hostPlace(text.replace(/^\*\./, ""));
  if (addressOf(name) !== undefined) return !text.startsWith("*.");
  return (
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) &&
    name.length <= 253 &&
    /^[^:]*(:\d{1,5})?$/.test(text)
  );
}
