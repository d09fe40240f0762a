import * as z from "zod";

const Claims = z.object({
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(z.string()).nullish() })).nullish(),
});

/**
 * The actions that a token holds on a repository. Harbor answers 200 to a wrong password, with a token that holds
 * nothing (facts: harbor §0.5); only its inside tells. `undefined` when the token is not a JWT that says.
 */
export function actionsOf(token: string, repository: string): readonly string[] | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  try {
    const claims = Claims.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
    if (!claims.success) return undefined;
    const held = (claims.data.access ?? []).filter((each) => each.type === "repository" && each.name === repository);
    return [...new Set(held.flatMap((each) => each.actions ?? []))].sort();
  } catch {
    return undefined;
  }
}
