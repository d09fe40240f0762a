import { setTimeout as delay } from "node:timers/promises";
import { abortable } from "../../std/abortable.ts";
import { collect } from "../../std/collect.ts";
import type { Side } from "../../model/failure.ts";
import type { EndpointAccess } from "./access.ts";
import type { Login } from "./auth/account.ts";
import { Authorizer, type AuthorizerOptions } from "./auth/authorizer.ts";
import { bearerOf, holdsAll, notYetValid, parseToken, realmUrl, tokenRequest, type Token } from "./auth/token.ts";
import {
  answerOf,
  failureOfError,
  failureOfResponse,
  loginWrongFailure,
  protocolFailure,
  tokenRefusedFailure,
  type RequestContext,
  Redactor,
} from "./errors.ts";
import { follow } from "./redirect.ts";
import type { Method, Transport, WireRequest, WireResponse } from "./transport.ts";

/** One operation on a registry, as it should be answered; the endpoint adds who we are. */
export interface Call {
  readonly method: Method;
  /** A path below the origin, or an upload URL that this endpoint gave: at our origin, whatever stands in it. */
  readonly to: string | URL;
  /** `GET library/nginx:1.25`: what failures and events call it. */
  readonly action: string;
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Bytes of body that a good answer will have. */
  readonly expects?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EndpointOptions {
  readonly access: EndpointAccess;
  readonly transport: Transport;
  readonly host: string;
  readonly side: Side;
  readonly userAgent: string;
}

/** Milliseconds. */
const tokenPause = 1000;
const maxTokenDocument = 1024 * 1024;

/** One way to a registry: its transport, its credentials, and what both say when they fail. */
export class Endpoint {
  readonly origin: URL;
  /** Stands before every repository name. */
  readonly prefix: string;
  readonly #options: EndpointOptions;
  readonly #authorizer: Authorizer;
  readonly #redactor = new Redactor();
  #met: Promise<void> | undefined;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.origin = new URL(options.access.origin);
    this.prefix = options.access.pathPrefix.replace(/^\/+|\/+$/g, "");
    this.#authorizer = new Authorizer({
      account: options.access.account,
      fetchToken: (challenge, scopes, login) => this.#fetchToken(challenge, scopes, login),
      tryBasic: (authorization) => this.#tryBasic(authorization),
      onSecret: (secret) => this.#redactor.add(secret),
    });
  }

  /** What failures of `action` say. A mirror's failures name the mirror too. */
  context(action: string): RequestContext {
    const { host, side } = this.#options;
    return {
      host: this.origin.host === host ? host : `${host} (${this.origin.host})`,
      action,
      side,
      as: this.#authorizer.identity,
      caNamed: this.#options.access.caNamed,
      clean: this.#redactor.clean,
    };
  }

  /**
   * Sends it, answers one challenge, follows redirects of reads. A 401 comes back as it is when nothing better is
   * known, or when the body is a stream: that can be sent once only, and the caller has to begin again.
   * @throws RegistryFailure for what the network says; the abort reason
   */
  async send(call: Call): Promise<WireResponse> {
    const url = new URL(call.to, this.origin);
    if (url.origin !== this.origin.origin) throw new RangeError(`${call.action}: not at ${this.origin.origin}`);
    const once = call.body !== undefined && !(call.body instanceof Uint8Array);
    for (let renewed = false, waited = false; ;) {
      const authorization = await this.#authorizer.header(call.scopes, call.signal);
      const response = await this.#followed(call, url, authorization);
      if (response.status !== 401) return response;
      if (renewed) {
        if (!(await this.#refusesTokens(call, authorization))) return response;
        if (waited) throw await this.#tokenRefused(call, response, authorization);
        await response.body.drain();
        // The same token again: of a host whose clock is ahead it is good in a moment.
        await delay(tokenPause, undefined, call.signal === undefined ? {} : { signal: call.signal });
        waited = true;
        continue;
      }
      const known = await this.#authorizer.challenged(response.header("www-authenticate"), call.scopes, authorization);
      if (!known || once) return response;
      await response.body.drain();
      // The first 401 only told us the rules; with credentials there is one more try.
      renewed = authorization !== undefined;
    }
  }

  /** As `send`, and every status but the ones wanted is thrown. The body is still to be read. */
  async expect(call: Call, wanted: readonly number[]): Promise<WireResponse> {
    const response = await this.send(call);
    if (wanted.includes(response.status)) return response;
    throw await failureOfResponse(response, this.context(call.action));
  }

  /**
   * The token holds what was asked for, and not even the front door takes it: then it is no right that is missing. Asked
   * there, since a registry may answer 401 for a tag that it does not have.
   */
  async #refusesTokens({ scopes, to, signal }: Call, authorization: string | undefined): Promise<boolean> {
    const token = bearerOf(authorization);
    if (token === undefined || !holdsAll(token, scopes)) return false;
    if (to === "/v2/") return true;
    const call: Call = { method: "GET", to: "/v2/", action: "GET /v2/", scopes: [], signal };
    const response = await this.#followed(call, new URL("/v2/", this.origin), authorization);
    await response.body.drain();
    return response.status === 401;
  }

  async #tokenRefused({ action }: Call, response: WireResponse, authorization: string | undefined): Promise<Error> {
    const context = this.context(action);
    const early = notYetValid(bearerOf(authorization) ?? "", response.header("date")[0]);
    return tokenRefusedFailure(context, early ?? (await answerOf(response, context)));
  }

  /** Reads a small body whole. @throws RegistryFailure when it is cut, or longer than `limit` */
  async read(response: WireResponse, limit: number, action: string, signal?: AbortSignal): Promise<Buffer> {
    try {
      return await collect(response.body, limit);
    } catch (error) {
      signal?.throwIfAborted();
      const context = this.context(action);
      throw error instanceof RangeError
        ? protocolFailure(context, `more than ${limit} B`)
        : failureOfError(error, context);
    }
  }

  /** What our token lets us do; `undefined` when there is none that says. */
  grants(repository: string, scopes: readonly string[], signal?: AbortSignal): Promise<readonly string[] | undefined> {
    return this.#authorizer.grants(repository, scopes, signal);
  }

  /** One request, no credentials, no redirects: how it answers a stranger. */
  probe(path: string, action: string, signal?: AbortSignal): Promise<WireResponse> {
    const call: Call = { method: "GET", to: path, action, scopes: [], signal };
    return this.#wire(this.#request(call, new URL(path, this.origin)), action);
  }

  /**
   * Who we are, once the registry has taken us: for its other doors, which do not challenge.
   * @throws REGISTRY_LOGIN_WRONG, once for all
   */
  async proved(signal?: AbortSignal): Promise<Login | undefined> {
    const { account } = this.#options.access;
    const login = await account.login();
    if (login === undefined || account.isProved) return login;
    // Shared by all who wait for it, so nobody's abort may end it.
    this.#met ??= this.#meet();
    await abortable(this.#met, signal);
    return login;
  }

  close(): Promise<void> {
    return this.#options.transport.close();
  }

  /**
   * Redirects may lead to a stranger, and what a stranger asks for is not ours to give: only the origin that was asked
   * names a token service, or our password would go wherever an object store sends it (CVE-2020-15157 was this).
   */
  async #followed(call: Call, url: URL, authorization: string | undefined): Promise<WireResponse> {
    const refuse = (why: string): Error => protocolFailure(this.context(call.action), why);
    const request = this.#request(call, url);
    const wire = (each: WireRequest): Promise<WireResponse> => this.#wire(each, call.action);
    const { response, stranger } = await follow(wire, { request, authorization, refuse });
    if (stranger === undefined || response.status !== 401) return response;
    await response.body.drain();
    throw refuse(`redirect to ${stranger}, which answers 401`);
  }

  async #meet(): Promise<void> {
    try {
      await (await this.send({ method: "GET", to: "/v2/", action: "GET /v2/", scopes: [] })).body.drain();
    } catch (error) {
      this.#met = undefined;
      throw error;
    }
  }

  async #tryBasic(authorization: string): Promise<void> {
    const call: Call = { method: "GET", to: "/v2/", action: "GET /v2/", scopes: [] };
    const response = await this.#followed(call, new URL("/v2/", this.origin), authorization);
    if (response.status === 401) throw await this.#loginWrong(response, call.action);
    await response.body.drain();
  }

  /** Tells what the service answered where it says why; Harbor's token service refuses with an empty body. */
  async #loginWrong(response: WireResponse, action: string): Promise<Error> {
    const context = this.context(action);
    return loginWrongFailure(context, await answerOf(response, context));
  }

  #request(call: Call, url: URL): WireRequest {
    // identity: a digest is over the bytes as stored, and a proxy that compresses would change them.
    const headers = { "user-agent": this.#options.userAgent, "accept-encoding": "identity", ...call.headers };
    const { method, body, expects, signal } = call;
    return { method, url, headers, body, expects, signal };
  }

  async #wire(request: WireRequest, action: string): Promise<WireResponse> {
    try {
      return await this.#options.transport.send(request);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw failureOfError(error, this.context(action));
    }
  }

  async #fetchToken(...asked: Parameters<AuthorizerOptions["fetchToken"]>): Promise<Token> {
    const [[challenge, scopes, login], action] = [asked, "GET token"];
    const realm = realmUrl(challenge, this.origin);
    if (realm === undefined) throw protocolFailure(this.context(action), `realm ${challenge.realm}`);
    const { method, url, headers, body, authorization } = tokenRequest(realm, challenge, scopes, login);
    const call: Call = { method, to: url, action, scopes: [], headers, body };
    const response = await this.#followed(call, url, authorization);
    if (response.status === 401 && login !== undefined && scopes.length === 0) {
      throw await this.#loginWrong(response, action);
    }
    if (response.status !== 200) throw await failureOfResponse(response, this.context(action));
    const token = parseToken(await this.read(response, maxTokenDocument, action));
    if (token === undefined) throw protocolFailure(this.context(action), "no token in the answer");
    return token;
  }
}
