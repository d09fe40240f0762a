import { randomUUID } from "node:crypto";
import { refuse, type Exchange, type Reply } from "./exchange.ts";
import type { Action, HarborState, Identity, Project } from "./state.ts";

interface Grant {
  readonly access: ReadonlyMap<string, readonly Action[]>;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** Whoever a Basic header names, when the secret is right; a robot that is over is nobody. */
export function basicIdentity({ request, state }: Exchange): Identity | undefined {
  const match = /^Basic (.+)$/i.exec(request.headers.authorization ?? "");
  if (match === null) return undefined;
  const [, name = "", secret = ""] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(match[1] ?? "", "base64").toString("utf8")) ?? [];
  const identity = state.identities.get(name);
  return identity?.secret === secret && identity.expired !== true ? identity : undefined;
}

/** The token service and the check of what it gave out (docs/facts/harbor.md#tokens). */
export class Tokens {
  readonly #grants = new Map<string, Grant>();

  handle(exchange: Exchange): Reply {
    const { request, url, state } = exchange;
    if (request.method !== "GET") return { status: 405 };
    const service = url.searchParams.get("service");
    if (service !== "harbor-registry") return { status: 400, text: `Unable to handle service: ${service ?? ""}` };
    const identity = basicIdentity(exchange);
    const scopes = url.searchParams.getAll("scope").flatMap((scope) => scope.split(" "));
    if (scopes.length === 0 && identity === undefined) return { status: 401 };
    return { status: 200, json: this.#issue(state, identity, scopes) };
  }

  /** What the request may do in this project; undefined when it says nobody we know. */
  actions(exchange: Exchange, project: Project): readonly Action[] | undefined {
    const { request, state } = exchange;
    const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (bearer === undefined) {
      const identity = basicIdentity(exchange);
      return identity === undefined ? undefined : state.actionsOf(identity, project);
    }
    const grant = this.#grants.get(bearer);
    const now = Date.now() / 1000;
    // 60 s of leeway, as the real one has, would make short tokens untestable: there is none here.
    if (grant === undefined || now >= grant.expiresAt || grant.issuedAt + 60 < project.createdAt) return undefined;
    return grant.access.get(project.name) ?? [];
  }

  /** A known identity without a project: `GET /v2/`. */
  known(exchange: Exchange): boolean {
    const bearer = /^Bearer (.+)$/i.exec(exchange.request.headers.authorization ?? "")?.[1];
    const grant = bearer === undefined ? undefined : this.#grants.get(bearer);
    return basicIdentity(exchange) !== undefined || (grant !== undefined && Date.now() / 1000 < grant.expiresAt);
  }

  #issue(state: HarborState, identity: Identity | undefined, scopes: readonly string[]): unknown {
    const access = scopes.map((scope) => accessTo(state, identity, scope));
    const issuedAt = Math.floor(Date.now() / 1000);
    const expiresIn = state.switches.expiresIn;
    const payload = {
      iss: "harbor-token-issuer",
      aud: "harbor-registry",
      ...(identity !== undefined && { sub: identity.name }),
      iat: issuedAt,
      nbf: issuedAt,
      exp: issuedAt + expiresIn,
      jti: randomUUID(),
      access: access.map(({ type, name, actions }) => ({ type, name, actions })),
    };
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "RS256", typ: "JWT" })}.${part(payload)}.c2ln`;
    const byProject = new Map(access.map(({ project, actions }) => [project, actions]));
    this.#grants.set(token, { access: byProject, issuedAt, expiresAt: Date.now() / 1000 + expiresIn });
    return { token, access_token: "", expires_in: expiresIn, issued_at: new Date().toISOString() };
  }
}

/** What was asked for does not matter, but for whom and of what: all that is held is granted. */
function accessTo(state: HarborState, identity: Identity | undefined, scope: string) {
  const [type = "", name = "", asked = ""] = scope.split(":");
  const [project = "", ...path] = name.split("/");
  const known = type === "repository" && path.length > 0 ? state.projects.get(project) : undefined;
  const isCatalog = scope === "registry:catalog:*" && identity?.admin === true;
  const actions: readonly Action[] = known === undefined ? [] : state.actionsOf(identity, known);
  return { type, name, project, actions: isCatalog ? [asked as Action] : actions };
}

export function bearerChallenge({ state, origin }: Exchange, scope?: string): string {
  const realm = state.switches.realm ?? `${origin}/service/token`;
  return `Bearer realm="${realm}",service="harbor-registry"${scope === undefined ? "" : `,scope="${scope}"`}`;
}

/**
 * Who carried credentials and failed is always answered with Basic; an unknown project with an empty challenge
 * (docs/facts/harbor.md#basic-challenge-after-a-token).
 */
export function unauthorized(exchange: Exchange, message: string, scope: string): Reply {
  const challenge =
    exchange.request.headers.authorization === undefined ? bearerChallenge(exchange, scope) : 'Basic realm="harbor"';
  return refuse(401, "UNAUTHORIZED", `${message}: ${message}`, { "www-authenticate": challenge });
}
