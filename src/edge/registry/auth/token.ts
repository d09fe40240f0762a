import * as z from "zod";
import { basicHeader, type Login } from "./account.ts";
import type { BearerChallenge } from "./challenge.ts";
import { atOrigin } from "../../../std/at-origin.ts";

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

export interface TokenRequest {
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
