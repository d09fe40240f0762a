import { BlockList, isIP } from "node:net";

type Env = Readonly<Record<string, string | undefined>>;

/** A variable that should name a proxy, and does not: without one, what must not leave directly would. */
export class UnusableProxy extends Error {
  constructor(variable: string) {
    super(`${variable}: no http://, https:// or socks5://HOST:PORT`);
  }
}

/**
 * The proxy for `url`, by the variables that curl and Go read; lower case wins. NO_PROXY takes names (with their
 * subdomains), `*`, `host:port`, addresses and CIDR ranges; undici's own agent sends `10.0.0.0/8` to the proxy.
 * @throws UnusableProxy
 */
export function resolveProxy(url: URL, env: Env): URL | undefined {
  const set = (name: string): string | undefined => [name.toLowerCase(), name].find((each) => env[each]);
  const scheme = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const variable = set(scheme) ?? set("ALL_PROXY");
  if (variable === undefined || isExcluded(url, env[set("NO_PROXY") ?? ""] ?? "")) return undefined;
  const proxy = parseProxy(env[variable] ?? "");
  if (proxy === undefined) throw new UnusableProxy(variable);
  return proxy;
}

/** `proxy.corp:3128` means http, and `socks5h` that the proxy looks names up, as it always does for undici. */
function parseProxy(text: string): URL | undefined {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text.replace(/^socks5h:/i, "socks5:") : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  return url !== undefined && /^(https?|socks5?):$/.test(url.protocol) ? url : undefined;
}

function isExcluded(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => entryMatches(entry.toLowerCase(), host, port));
}

function entryMatches(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const range = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return inRange(host, range[1] ?? "", Number(range[2]));
  const { name, wantedPort } = splitPort(entry);
  if (wantedPort !== undefined && wantedPort !== port) return false;
  if (isIP(host) !== 0) return sameAddress(host, name);
  const bare = name.replace(/^\*?\./, "");
  // As Go does it: a leading dot means subdomains only, a plain name means itself and its subdomains.
  return host.endsWith(`.${bare}`) || (name === bare && host === bare);
}

function splitPort(entry: string): { name: string; wantedPort: string | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { name: bracketed[1] ?? "", wantedPort: bracketed[2] };
  const plain = /^([^:]+):(\d+)$/.exec(entry);
  return plain === null ? { name: entry, wantedPort: undefined } : { name: plain[1] ?? "", wantedPort: plain[2] };
}

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? "ipv4" : "ipv6";
}

function inRange(host: string, network: string, prefix: number): boolean {
  const family = familyOf(network);
  const hostFamily = familyOf(host);
  if (family === undefined || hostFamily === undefined || prefix > (family === "ipv4" ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(host, hostFamily);
}

/** `::1` and `0:0:0:0:0:0:0:1` are one address. */
function sameAddress(host: string, name: string): boolean {
  const family = familyOf(name);
  const hostFamily = familyOf(host);
  if (family === undefined || hostFamily === undefined) return false;
  const list = new BlockList();
  list.addAddress(name, family);
  return list.check(host, hostFamily);
}
