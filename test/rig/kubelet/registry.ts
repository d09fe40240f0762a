import { exchange, type Answer } from "./exchange.ts";
import type { Credential } from "./secrets.ts";
import { inGoWords, noSuchHost } from "./words.ts";

/** What this node's DNS and container runtime know of registries. */
export interface Registries {
  /**
   * From a host as images spell it (`harbor.test`, `harbor.test:5000`) to where it really listens
   * (`https://127.0.0.1:15000`). A host that is not in here does not resolve.
   */
  readonly hosts: Readonly<Record<string, string>>;
  /** The authority that the runtime trusts beside the public ones, as PEM. */
  readonly ca?: string | undefined;
}

/** A pull that did not come through; the message is what containerd would say. */
export class PullError extends Error {}

export interface Session {
  readonly registries: Registries;
  readonly host: string;
  readonly repository: string;
  readonly credential: Credential | undefined;
  readonly signal?: AbortSignal | undefined;
}

const denied = "pull access denied, repository does not exist or may require authorization";

export type Ask = (method: "GET" | "HEAD", path: string, accept?: string) => Promise<Answer & { readonly url: string }>;

/** Requests to one repository, which answer a Basic or Bearer challenge once and keep what they learned. */
export function session({ registries, host, repository, credential, signal }: Session): Ask {
  let authorization: string | undefined;
  const send = async (method: string, spelled: URL, headers: Record<string, string>) => {
    const text = `failed to do request: ${method === "HEAD" ? "Head" : "Get"} "${spelled.href}"`;
    const at = registries.hosts[spelled.host];
    if (at === undefined) throw new PullError(`${text}: ${noSuchHost(spelled.hostname)}`);
    const url = new URL(spelled.pathname + spelled.search, at);
    // The certificate is checked for the name in the image, not for where it happens to listen.
    const servername = spelled.hostname;
    try {
      return await exchange({ url, method, headers, ca: registries.ca, servername, signal });
    } catch (error) {
      if (signal?.aborted === true) throw error; // The kubelet stops: nothing was found out about the image.
      throw new PullError(`${text}: ${inGoWords(error, { host: servername, address: url.host })}`);
    }
  };
  const scheme = (registries.hosts[host] ?? "https:").startsWith("http:") ? "http" : "https";

  return async (method, path, accept = "*/*") => {
    const url = new URL(`/v2/${repository}/${path}`, `${scheme}://${host}`);
    const ask = () => send(method, url, { accept, ...(authorization !== undefined && { authorization }) });
    const first = await ask();
    if (first.status !== 401 || authorization !== undefined) return { ...first, url: url.href };
    authorization = await answerTo(first.headers["www-authenticate"] ?? "", { send, repository, credential });
    const second = await ask();
    // Harbor gives anybody a token and refuses only when it is used.
    const refusal = /error="([^"]+)"/.exec(second.headers["www-authenticate"] ?? "")?.[1];
    if (second.status === 401 && refusal !== undefined)
      throw new PullError(`${denied}: server message: ${refusal}: authorization failed`);
    return { ...second, url: url.href };
  };
}

interface Answering {
  readonly send: (method: string, url: URL, headers: Record<string, string>) => Promise<Answer>;
  readonly repository: string;
  readonly credential: Credential | undefined;
}

/** The authorization header that a challenge asks for. */
async function answerTo(challenge: string, { send, repository, credential }: Answering): Promise<string> {
  const basic = credential === undefined ? undefined : `Basic ${credential}`;
  if (/^basic /i.test(challenge)) {
    if (basic === undefined) throw new PullError(`${denied}: authorization failed: no basic auth credentials`);
    return basic;
  }
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
  const realm = field("realm");
  if (realm === undefined) throw new PullError("unexpected status from HEAD request: 401 Unauthorized");
  const url = new URL(realm);
  url.searchParams.set("service", field("service") ?? "");
  url.searchParams.set("scope", field("scope") ?? `repository:${repository}:pull`);
  const answer = await send("GET", url, basic === undefined ? {} : { authorization: basic });
  if (answer.status !== 200) {
    const kind = basic === undefined ? "anonymous" : "oauth";
    const status = `${String(answer.status)} ${answer.statusText}`;
    const what = `failed to fetch ${kind} token: unexpected status from GET request to ${url.href}: ${status}`;
    throw new PullError(`failed to authorize: ${what}`);
  }
  const { token, access_token: other } = JSON.parse(answer.body.toString()) as Record<string, string | undefined>;
  return `Bearer ${token ?? other ?? ""}`;
}
