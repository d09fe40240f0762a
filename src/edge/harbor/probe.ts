import type { Digest } from "../../model/digest.ts";
import { silent } from "../../model/event.ts";
import { isFailure } from "../../model/failure.ts";
import type { EndpointAccess } from "../registry/access.ts";
import { stranger } from "../registry/auth/account.ts";
import { parseChallenges, type Challenge } from "../registry/auth/challenge.ts";
import { uploadUrl } from "../registry/blobs.ts";
import { Endpoint } from "../registry/endpoint.ts";
import { failureOfError, failureOfResponse, textOf } from "../registry/errors.ts";
import { headManifest } from "../registry/manifests.ts";
import { resolveProxy } from "../registry/proxy.ts";
import { Remote } from "../registry/remote.ts";
import type { WireResponse } from "../registry/transport.ts";
import { UndiciTransport } from "../registry/undici-transport.ts";
import { Harbor, type HarborOptions } from "./client.ts";
import { fingerprintOf, lookAtDoor, type SeenTls } from "./tls.ts";

interface Greeting {
  readonly status: number;
  readonly challenges: readonly Challenge[];
  readonly header: (name: string) => string | undefined;
  readonly redirect: string | undefined;
  /** The start of its body, without markup. */
  readonly text: string;
}

type SeenCredentials =
  { readonly state: "right" | "none" } | { readonly state: "wrong"; readonly as: string; readonly answer: string };

/** Questions to a registry that change nothing, each asked once: a preflight wants to know how it is, not how it could be. */
export class TargetProbe implements AsyncDisposable {
  readonly harbor: Harbor;
  readonly #access: EndpointAccess;
  readonly #options: HarborOptions;
  readonly #endpoint: Endpoint;

  constructor(access: EndpointAccess, options: HarborOptions) {
    const { ca, insecure } = access;
    const client = access.client && { ...access.client, origin: access.origin };
    const { env, host, stallSeconds = 30, userAgent = "higress-airgap" } = options;
    const transport = new UndiciTransport({ ca, insecure, client, env, connections: 16, stallSeconds });
    this.harbor = new Harbor(access, options);
    this.#access = access;
    this.#options = options;
    this.#endpoint = new Endpoint({ access, transport, host, side: "target", userAgent });
  }

  /** Whose eyes these are. */
  async identity(): Promise<string> {
    return (await this.#access.account.login())?.username ?? "anonymous";
  }

  /** @throws Failure REGISTRY_UNREACHABLE */
  async connect(signal?: AbortSignal): Promise<{ readonly tls?: SeenTls | undefined }> {
    // Behind a proxy there is nobody at that address; what answers shows at the first request.
    if (this.#isBehindProxy()) return {};
    return lookAtDoor(this.#access, this.#options.host, signal);
  }

  #isBehindProxy(): boolean {
    try {
      return resolveProxy(new URL(this.#access.origin), this.#options.env) !== undefined;
    } catch (error) {
      throw failureOfError(error, this.#endpoint.context("GET /v2/"));
    }
  }

  async greet(signal?: AbortSignal): Promise<Greeting> {
    const response = await this.#endpoint.probe("/v2/", "GET /v2/", signal);
    const { status } = response;
    const text = await textOf(response, this.#endpoint.context("GET /v2/"));
    return {
      text,
      status,
      challenges: parseChallenges(response.header("www-authenticate")),
      header: (name) => response.header(name)[0],
      redirect: status >= 300 && status < 400 ? response.header("location")[0] : undefined,
    };
  }

  /**
   * A scope would hide it: with one, Harbor's token service gives 200 to a wrong password
   * (docs/facts/harbor.md#wrong-password-is-200).
   */
  async credentials(signal?: AbortSignal): Promise<SeenCredentials> {
    const login = await this.#access.account.login();
    if (login === undefined) return { state: "none" };
    const { username: as } = login;
    try {
      const call = { method: "GET", to: "/v2/", action: "GET /v2/", scopes: [], signal } as const;
      await (await this.#endpoint.send(call)).body.drain();
      return { state: "right" };
    } catch (error) {
      if (!isFailure(error, "REGISTRY_LOGIN_WRONG")) throw error;
      return { state: "wrong", as, answer: error.facts.answer };
    }
  }

  /** What the token holds on a repository; `undefined` when there is none that says. */
  async grants(repository: string, signal?: AbortSignal): Promise<readonly string[] | undefined> {
    const remote = this.#remote(repository);
    // Only a challenge tells which kind of credentials this registry takes.
    const call = { method: "GET", to: "/v2/", action: "GET /v2/", scopes: remote.writeScopes, signal } as const;
    const { body } = await this.#endpoint.send(call);
    await body.drain();
    return this.#endpoint.grants(repository, remote.writeScopes, signal);
  }

  async tag(repository: string, tag: string, signal?: AbortSignal): Promise<Digest | "hidden" | undefined> {
    try {
      return (await headManifest(this.#remote(repository), tag, signal))?.digest;
    } catch (error) {
      if (!isFailure(error, "REGISTRY_REFUSED") || error.facts.status !== 412) throw error;
      return "hidden";
    }
  }

  tryUpload(repository: string, size: number, signal?: AbortSignal): Promise<TriedUpload> {
    return tryUpload(this.#remote(repository), size, signal);
  }

  /** SHA-256 of the CA that Harbor offers, read from whoever answers: to be compared, not to be trusted. */
  async offeredCa(signal?: AbortSignal): Promise<string | undefined> {
    const access: EndpointAccess = { ...this.#access, insecure: true, account: stranger() };
    await using harbor = new Harbor(access, this.#options);
    const pem = await harbor.caCertificate(signal);
    return pem === undefined ? undefined : fingerprintOf(pem);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#endpoint.close(), this.harbor[Symbol.asyncDispose]()]);
  }

  #remote(name: string): Remote {
    const once = { transient: () => undefined, attempts: 1, baseDelay: 0, maxDelay: 0 };
    return new Remote({ endpoint: this.#endpoint, name, side: "target", policy: once, report: silent });
  }
}

type TriedUpload =
  | { readonly state: "taken" }
  | { readonly state: "too-large"; readonly size: number }
  | { readonly state: "refused"; readonly status: number; readonly answer: string };

/**
 * Begins an upload, sends `size` zeros and leaves it: without the closing PUT nothing is stored, and the session is
 * purged by the registry. DELETE would need a right that who may push mostly does not have
 * (docs/facts/harbor.md#uploads).
 */
async function tryUpload(remote: Remote, size: number, signal?: AbortSignal): Promise<TriedUpload> {
  const action = `PATCH ${remote.name}`;
  const scopes = remote.writeScopes;
  const begun = await remote.endpoint.send({
    method: "POST",
    to: remote.url("blobs/uploads/"),
    action: `POST ${remote.name}`,
    scopes,
    headers: { "content-length": "0" },
    signal,
  });
  if (begun.status !== 202) return refused(remote, begun, `POST ${remote.name}`);
  await begun.body.drain();
  const to = uploadUrl(remote, begun, action);
  const headers = { "content-type": "application/octet-stream", "content-length": String(size) };
  const body = Buffer.alloc(size);
  const response = await remote.endpoint.send({ method: "PATCH", to, action, scopes, headers, body, signal });
  if (response.status === 413) {
    await response.body.drain();
    return { state: "too-large", size };
  }
  if (response.status < 200 || response.status > 299) return refused(remote, response, action);
  await response.body.drain();
  return { state: "taken" };
}

async function refused(remote: Remote, response: WireResponse, action: string): Promise<TriedUpload> {
  const failure = await failureOfResponse(response, remote.endpoint.context(action));
  const answer = isFailure(
    failure,
    "REGISTRY_DENIED",
    "REGISTRY_UNAUTHORIZED",
    "REGISTRY_REFUSED",
    "REGISTRY_NOT_FOUND",
  )
    ? failure.facts.answer
    : failure.code;
  return { state: "refused", status: response.status, answer };
}
