import ipaddr from "ipaddr.js";
import { isFailure } from "../../../model/failure.ts";
import { finding, type RegistryKind, type Finding } from "../../../model/finding.ts";
import { repositoryIn, type Asking } from "../context.ts";
import type { Greeting, Connection } from "../ports.ts";

/** `no-url`: it is none of http(s), as every plain name is; `address`: it leads to an address that only some can reach. */
type RealmFault = "no-url" | "address";

/** RFC 1918, RFC 4193, loopback and link-local, as Go's `net.IP` tells them: RFC 6598 is not among them. */
const forbiddenRanges: ReadonlySet<string> = new Set(["private", "uniqueLocal", "loopback", "linkLocal"]);
const forbiddenNames: ReadonlySet<string> = new Set(["localhost", "metadata.google.internal"]);

/** A URL as Go takes it apart, which is not how browsers do: no host is changed, and `127.1` is a name. */
const httpUrl = /^https?:\/\/(?:[^/?#]*@)?(\[[^\]\s]+\]|[^/?#:\s[\]]+)(?::\d*)?(?:[/?#]|$)/i;

/**
 * What the agents of Istio 1.27.8 and later say to a realm before they log in, in a challenge of whatever scheme
 * (`validateRealmURL` in pkg/wasm/imagefetcher.go); `undefined`: they go there.
 */
function realmFault(realm: string): RealmFault | undefined {
  const host = httpUrl.exec(realm)?.[1]?.replace(/^\[|\]$/g, "");
  if (host === undefined) return "no-url";
  // An address with a zone is none to them.
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(host) || (ipaddr.IPv6.isValid(host) && !host.includes("%"));
  const isForbidden = isAddress && forbiddenRanges.has(ipaddr.process(host).range());
  if (!isForbidden && !forbiddenNames.has(host)) return undefined;
  // Of one that is no URL to us there is nothing better to say.
  return URL.canParse(realm) ? "address" : "no-url";
}

interface Traits {
  readonly realm: string;
  readonly service: string;
  readonly header: (name: string) => string;
  readonly status: number;
}

/** In this order: the first that fits. */
const tells: readonly (readonly [RegistryKind, (traits: Traits) => boolean])[] = [
  ["nexus", ({ realm, header }) => /Nexus/i.test(realm + header("server"))],
  ["artifactory", ({ realm, header }) => header("x-jfrog-version") !== "" || realm.includes("/artifactory/")],
  ["artifactory", ({ header }) => header("x-artifactory-id") !== ""],
  ["azure", ({ service }) => service.endsWith(".azurecr.io")],
  ["aliyun", ({ realm }) => realm.includes(".aliyuncs.com")],
  ["gitlab", ({ realm }) => realm.includes("/jwt/auth")],
  ["gitea", ({ service }) => service === "container_registry"],
  [
    "distribution",
    ({ header, status }) =>
      header("docker-distribution-api-version") === "registry/2.0" && (status === 200 || status === 401),
  ],
];

/** Only a Harbor's registry names this service, but Tencent's TCR does, too. */
export function saysHarbor({ challenges }: Pick<Greeting, "challenges">): boolean {
  return challenges.some(({ parameters }) => parameters.get("service") === "harbor-registry");
}

/**
 * Which product answers, by the rules of docs/facts/harbor.md#telling-registries-apart. Tencent's TCR says
 * `service="harbor-registry"` too, so the header alone does not make a Harbor: its API has to answer as well.
 */
export function kindOf({ header, challenges, status }: Greeting, answersHarborApi: boolean): RegistryKind {
  if (answersHarborApi) return "harbor";
  const parameter = (name: string): string =>
    challenges
      .map((each) => each.parameters.get(name) ?? "")
      .join(" ")
      .trim();
  const traits = {
    realm: parameter("realm"),
    service: parameter("service"),
    header: (name: string) => header(name) ?? "",
    status,
  };
  return tells.find(([, fits]) => fits(traits))?.[0] ?? "unknown";
}

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

/**
 * What answers must have answered like a registry before anything else it says counts: `GET /v2/` is 200 or 401
 * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#endpoints), and a 401 says how to log in.
 */
export function registryQuestion({ input: { host } }: Pick<Asking, "input">, greeting: Greeting): readonly Finding[] {
  const { status, text } = greeting;
  const answer = text.slice(0, 200);
  if (greeting.redirect !== undefined) return redirected(host, greeting.redirect, status);
  if (status === 200 && isRegistryPage(greeting)) return [];
  if (status === 401 && greeting.challenges.some(({ scheme }) => scheme === "basic" || scheme === "bearer")) return [];
  if (status >= 500 || status === 429) return [finding("error", "registry.down", { host, status, answer })];
  // nginx: "The plain HTTP request was sent to HTTPS port"; Go: "Client sent an HTTP request to an HTTPS server."
  if (status === 400 && /\bHTTP request\b.*\bHTTPS\b/i.test(text)) {
    return [finding("error", "registry.other-scheme", { host })];
  }
  // nginx with ssl_verify_client: "No required SSL certificate was sent", or "The SSL certificate error".
  if (status === 400 && /SSL certificate/.test(text))
    return [finding("error", "registry.tls", { host, fault: "client-certificate", reason: answer })];
  return [finding("error", "registry.none", { host, status, answer })];
}

/** Port 80 of a Harbor with TLS says 308 to https; all other redirects lead to a page for people. */
function redirected(host: string, redirect: string, status: number): readonly Finding[] {
  const to = redirect.slice(0, 200);
  if (URL.canParse(to) && new URL(to).protocol === "https:" && new URL(to).pathname.startsWith("/v2"))
    return [finding("error", "registry.redirects-to-https", { host, to })];
  return [finding("error", "registry.none", { host, status, answer: to })];
}

/** Registries say `{}`, or nothing; a page is HTML, whatever its type is called. */
function isRegistryPage({ header, text }: Greeting): boolean {
  if (header("docker-distribution-api-version") !== undefined) return true;
  if (/\bhtml\b/i.test(header("content-type") ?? "")) return false;
  return /^\s*(\{.*\}|true|)\s*$/s.test(text);
}

/** A tag that nobody has. */
const noTag = "higress-airgap-preflight";

/**
 * Is there an answer to HEAD? Of a tag that is not there it is 404; of who may not pull it is 401, which the question for
 * rights tells better.
 */
export async function headQuestion(
  { input, probe }: Asking,
  [project]: readonly string[],
): Promise<readonly Finding[]> {
  if (project === undefined) return [];
  const { host, signal } = input;
  const repository = repositoryIn(input, project);
  try {
    await probe.tag(repository, noTag, signal);
    return [];
  } catch (error) {
    const status = isFailure(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_DENIED")
      ? 401
      : isFailure(error, "REGISTRY_REFUSED") && error.facts.status;
    if (status === false) throw error;
    const held = status === 401 ? await probe.grants(repository, signal) : undefined;
    if (held !== undefined && !held.includes("pull")) return [];
    return [finding("error", "registry.head-refused", { host, status })];
  }
}
