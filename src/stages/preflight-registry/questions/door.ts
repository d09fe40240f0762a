import { finding, type Finding } from "../../../model/finding.ts";
import { realmFault } from "../../../model/realm-guard.ts";
import type { Asking } from "../context.ts";
import type { Connection, Greeting } from "../ports.ts";

const day = 24 * 60 * 60 * 1000;
/** Harbor takes tokens whose clock is off by this much (docs/facts/harbor.md#tokens). */
const leeway = 60;

/** Is the certificate one that we, and so the nodes with the same CA, will take? */
export async function tlsQuestion({ input, probe }: Asking, { tls }: Connection): Promise<readonly Finding[]> {
  const { host } = input;
  if (tls === undefined) return input.plainHttp ? [finding("warning", "registry.insecure", { host })] : [];
  const days = Math.floor((tls.validUntil - input.now()) / day);
  const expiring = days >= 0 && days < 30 ? [finding("warning", "registry.tls-expiring", { host, days })] : [];
  if (input.insecure) return [...expiring, finding("warning", "registry.insecure", { host })];
  if (tls.distrust === undefined) return expiring;
  // A certificate without a date that can be read is one of those that are not trusted.
  const until = Number.isNaN(tls.validUntil) ? "?" : new Date(tls.validUntil).toISOString().slice(0, 10);
  const reason = `${tls.distrust}; issuer ${tls.issuer}; names ${tls.names}; until ${until}`;
  const fingerprint = await probe.offeredCa(input.signal).catch(() => undefined);
  return [
    finding("error", "registry.tls", { host, fault: tls.fault ?? "handshake", reason }),
    ...(fingerprint === undefined ? [] : [finding("note", "registry.ca-offered", { host, fingerprint })]),
    ...expiring,
  ];
}

/** Where the greeting sends for tokens. */
export function realmOf({ challenges }: Greeting): string | undefined {
  return challenges
    .filter(({ scheme }) => scheme === "bearer")
    .map(({ parameters }) => parameters.get("realm"))
    .find((realm) => realm !== undefined);
}

/**
 * Who follows the realms will be where? For Harbor we go by our own origin, so a push would not show it; nodes go where a
 * token service is said to be, and the gateway looks at the realm of every challenge before it logs in, also of one that
 * only wants a name and a password.
 */
export function realmQuestion(asking: Asking, greeting: Greeting, connection: Connection): readonly Finding[] {
  const refused = asking.input.gatewayPulls === true ? gatewayRefusal(asking, greeting) : undefined;
  return refused === undefined ? elsewhere(asking, greeting, connection) : [refused];
}

function gatewayRefusal({ input: { host } }: Asking, { challenges }: Greeting): Finding | undefined {
  for (const { parameters } of challenges) {
    const realm = parameters.get("realm");
    const fault = realm === undefined ? undefined : realmFault(realm);
    if (realm === undefined || fault === undefined) continue;
    if (fault === "no-url") return finding("warning", "registry.realm-no-url", { host, realm: realm.slice(0, 200) });
    const { hostname, origin } = new URL(realm);
    // A registry on loopback is none that a gateway could reach, so it is not there for one.
    if (/^(?:127\.|\[::1\]$|localhost$)/.test(hostname) && host.startsWith(hostname)) continue;
    return finding("warning", "registry.realm-private-ip", { host, realm: `${origin}/` });
  }
  return undefined;
}

/** A token service that is not where the registry is. */
function elsewhere({ input: { host } }: Asking, greeting: Greeting, { tls }: Connection): readonly Finding[] {
  const realm = realmOf(greeting);
  if (realm === undefined || !URL.canParse(realm)) return [];
  const { host: realmHost, origin, protocol } = new URL(realm);
  const own = new URL(`${protocol}//${host}`).host;
  const downgraded = protocol === "http:" && tls !== undefined;
  if (realmHost === own && !downgraded) return [];
  return [finding("warning", "registry.realm-elsewhere", { host, realm: `${origin}/` })];
}

export function clockQuestion({ input }: Asking, { header }: Greeting): readonly Finding[] {
  const theirs = Date.parse(header("date") ?? "");
  if (Number.isNaN(theirs)) return [];
  const seconds = Math.round((theirs - input.now()) / 1000);
  return Math.abs(seconds) <= leeway ? [] : [finding("warning", "registry.clock-skew", { host: input.host, seconds })];
}
