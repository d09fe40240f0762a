import * as z from "zod";

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
