import * as z from "zod";
import { atOrigin } from "../../../std/at-origin.ts";
import { basicHeader, type Login } from "./account.ts";
import type { BearerChallenge } from "./challenge.ts";

/** Milliseconds are of `performance.now()`: a clock that is set must not keep a token alive. */
export interface Token {
  readonly value: string;
  readonly fetchedAt: number;
  readonly lifetime: number;
}

/** https://distribution.github.io/distribution/spec/auth/token/ : 60 s when it does not say. */
const defaultLifetime = 60;

const TokenDocument = z.object({
  // Harbor sends `"access_token": ""` beside the token (docs/facts/harbor.md#empty-access-token); others send only
  // access_token.
  token: z.string().max(65_536).nullish(),
  access_token: z.string().max(65_536).nullish(),
  expires_in: z.number().nullish(),
});

/** `undefined` when it is not the document that the specification wants. */
export function parseToken(bytes: Uint8Array): Token | undefined {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  const parsed = TokenDocument.safeParse(document);
  if (!parsed.success) return undefined;
  const value = parsed.data.token || parsed.data.access_token;
  // A header value cannot hold anything else, and a line break would be another header.
  if (!value || !/^[\x21-\x7e]+$/.test(value)) return undefined;
  const lifetime = (parsed.data.expires_in ?? 0) > 0 ? (parsed.data.expires_in ?? 0) : defaultLifetime;
  return { value, fetchedAt: performance.now(), lifetime: lifetime * 1000 };
}

/** Renewed early, because a registry checks a token when a request begins: max(60 s, 20 %), at most half of a short life. */
export function isFresh(token: Token, now = performance.now()): boolean {
  const margin = Math.min(Math.max(60_000, token.lifetime * 0.2), token.lifetime / 2);
  return now - token.fetchedAt < token.lifetime - margin;
}

interface TokenRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly authorization?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** GET with Basic, or the OAuth2 POST that an identity token wants: https://distribution.github.io/distribution/spec/auth/oauth/ */
export function tokenRequest(
  realm: URL,
  challenge: BearerChallenge,
  scopes: readonly string[],
  login: Login | undefined,
): TokenRequest {
  const url = new URL(realm);
  if (login?.identityToken !== undefined) return refreshRequest(url, challenge, scopes, login.identityToken);
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return { method: "GET", url, authorization: basicHeader(login) };
}

function refreshRequest(
  url: URL,
  challenge: BearerChallenge,
  scopes: readonly string[],
  identityToken: string,
): TokenRequest {
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: identityToken });
  form.set("client_id", "higress-airgap");
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  if (challenge.service !== undefined) form.set("service", challenge.service);
  const body = Buffer.from(form.toString(), "utf8");
  const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": String(body.byteLength) };
  return { method: "POST", url, headers, body };
}

/**
 * Where the token is. Harbor's realm is its external_url, which need not be the way that we came
 * (docs/facts/harbor.md#locations-and-realms); its token service is always at our own origin. `undefined`: refused,
 * since it would take a password from https to plain http.
 */
export function realmUrl(challenge: BearerChallenge, origin: URL): URL | undefined {
  if (!URL.canParse(challenge.realm, origin.href)) return undefined;
  const realm = new URL(challenge.realm, origin);
  realm.hash = "";
  realm.username = "";
  realm.password = "";
  if (challenge.service === "harbor-registry" && realm.pathname === "/service/token") {
    return atOrigin(realm, origin);
  }
  if (realm.protocol === "https:") return realm;
  return realm.protocol === "http:" && origin.protocol === "http:" ? realm : undefined;
}

const Claims = z.object({
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()).nullish() })).nullish(),
  nbf: z.number().nullish(),
  iat: z.number().nullish(),
});

/** The token of an Authorization header. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return authorization?.startsWith("Bearer ") === true ? authorization.slice("Bearer ".length) : undefined;
}

function claimsOf(token: string): z.output<typeof Claims> | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims = Claims.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
    return claims.success ? claims.data : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The actions that a token holds on a repository. Harbor answers 200 to a wrong password, with a token that holds
 * nothing (docs/facts/harbor.md#wrong-password-is-200); only its inside tells. `undefined` when the token is not a JWT
 * that says.
 */
export function actionsOf(token: string, repository: string): readonly string[] | undefined {
  const claims = claimsOf(token);
  if (claims === undefined) return undefined;
  const held = (claims.access ?? []).filter((each) => each.type === "repository" && each.name === repository);
  return [...new Set(held.flatMap((each) => each.actions ?? []))].sort();
}

/** Whether it says that it holds all of these scopes (`repository:a/b:pull,push`). */
export function holdsAll(token: string, scopes: readonly string[]): boolean {
  if (claimsOf(token) === undefined) return false;
  return scopes.every((scope) => {
    const [, repository = "", actions = ""] = /^repository:(.+):([^:]*)$/.exec(scope) ?? [];
    const held = actionsOf(token, repository) ?? [];
    return actions !== "" && actions.split(",").every((action) => held.includes(action));
  });
}

/** In words, when it begins later than `date` of the one who refused it. */
export function notYetValid(token: string, date: string | undefined): string | undefined {
  const { nbf, iat } = claimsOf(token) ?? {};
  const begins = (nbf ?? iat ?? NaN) * 1000;
  const now = Date.parse(date ?? "");
  if (!(begins > now)) return undefined;
  return `valid from ${new Date(begins).toISOString()}, refused at ${new Date(now).toISOString()}`;
}
