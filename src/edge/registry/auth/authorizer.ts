import { isFailure } from "../../../model/failure.ts";
import { abortable } from "../../../std/abortable.ts";
import { basicCredentials, basicHeader, type Account, type Login } from "./account.ts";
import { bearerChallenge, parseChallenges, type BearerChallenge, type Challenge } from "./challenge.ts";
import { actionsOf, isFresh, type Token } from "./token.ts";

export interface AuthorizerOptions {
  readonly account: Account;
  /** Asks the token service. */
  readonly fetchToken: (
    challenge: BearerChallenge,
    scopes: readonly string[],
    login: Login | undefined,
  ) => Promise<Token>;
  /** Shows the credentials at a door that takes Basic. @throws REGISTRY_LOGIN_WRONG */
  readonly tryBasic: (authorization: string) => Promise<void>;
  /** Told every secret before it is used, so that no message can repeat it. */
  readonly onSecret: (secret: string) => void;
}

type Scheme = ({ readonly type: "bearer" } & BearerChallenge) | { readonly type: "basic" };

/** Answers the challenges of one endpoint: anonymous until asked, then Basic, or Bearer with a token per scope. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #toldSecrets = false;
  #identity = "anonymous";
  #scheme: Scheme | undefined;
  readonly #tokens = new Map<string, Promise<Token>>();
  /** What the registry asked for instead of the scopes that we think it needs. */
  readonly #wantedScopes = new Map<string, readonly string[]>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** For messages: whose request was refused. */
  get identity(): string {
    return this.#identity;
  }

  async header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme === undefined) return undefined;
    const login = await abortable(this.#proved(scheme), signal);
    if (scheme.type === "basic") return basicHeader(login);
    const { value } = await this.#token(scheme, scopes, signal);
    return `Bearer ${value}`;
  }

  /** What the cached token of these scopes lets us do in a repository; `undefined` when it does not say. */
  async grants(
    repository: string,
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    if (this.#scheme?.type !== "bearer") return undefined;
    await abortable(this.#proved(this.#scheme), signal);
    return actionsOf((await this.#token(this.#scheme, scopes, signal)).value, repository);
  }

  /**
   * Learns from a 401, and says whether another try can do better. Harbor answers a Bearer token that ran out with a
   * Basic challenge (docs/facts/harbor.md#basic-challenge-after-a-token), so the first Bearer challenge is kept and the
   * token fetched anew.
   */
  async challenged(values: readonly string[], scopes: readonly string[], used: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(values);
    const bearer = challenges.map(bearerChallenge).find((each) => each !== undefined);
    if (bearer !== undefined) {
      this.#scheme = { type: "bearer", ...bearer };
      if (used !== undefined) this.#want(scopes, challenges);
    } else if (this.#scheme?.type !== "bearer") {
      if (!challenges.some((each) => each.scheme === "basic") || used !== undefined) return false;
      this.#scheme = { type: "basic" };
      return (await this.#whoWeAre()) !== undefined;
    } else if (challenges.length === 0) {
      return false;
    }
    if (used?.startsWith("Bearer ") === true) await this.#drop(scopes, used.slice("Bearer ".length));
    return true;
  }

  #want(scopes: readonly string[], challenges: readonly Challenge[]): void {
    const scope = challenges.find((each) => each.scheme === "bearer")?.parameters.get("scope");
    if (scope !== undefined && scopes.length > 0) {
      this.#wantedScopes.set(
        keyOf(scopes),
        scope
          .split(" ")
          .filter((each) => each !== "")
          .slice(0, 16),
      );
    }
  }

  async #token(challenge: BearerChallenge, scopes: readonly string[], signal?: AbortSignal): Promise<Token> {
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const token = await abortable(known, signal);
      if (isFresh(token)) return token;
      if (this.#tokens.get(key) === known) this.#tokens.delete(key);
    }
    // Shared by all who wait for it, so nobody's abort may end it.
    const fetched = this.#tokens.get(key) ?? this.#fetch(challenge, this.#wantedScopes.get(key) ?? scopes);
    this.#tokens.set(key, fetched);
    fetched.catch(() => {
      if (this.#tokens.get(key) === fetched) this.#tokens.delete(key);
    });
    return abortable(fetched, signal);
  }

  async #fetch(challenge: BearerChallenge, scopes: readonly string[]): Promise<Token> {
    const token = await this.#options.fetchToken(challenge, scopes, await this.#whoWeAre());
    this.#options.onSecret(token.value);
    return token;
  }

  /** Forgets a token if it is still the one that was refused: eight requests that fail together must not fetch eight. */
  async #drop(scopes: readonly string[], value: string): Promise<void> {
    const key = keyOf(scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined && (await known.catch(() => undefined))?.value === value) this.#tokens.delete(key);
  }

  /**
   * A question without a scope: with one, Harbor answers 200 to a wrong password
   * (docs/facts/harbor.md#wrong-password-is-200).
   */
  async #proved(scheme: Scheme): Promise<Login | undefined> {
    await this.#whoWeAre();
    return this.#options.account.proved(async (login) => {
      if (scheme.type === "basic") return this.#options.tryBasic(basicHeader(login));
      try {
        await this.#token(scheme, []);
      } catch (error) {
        // A token service that wants a scope has not said that the password is wrong.
        if (!isFailure(error, "REGISTRY_REFUSED", "REGISTRY_NOT_FOUND", "REGISTRY_PROTOCOL")) throw error;
      }
    });
  }

  async #whoWeAre(): Promise<Login | undefined> {
    const login = await this.#options.account.login();
    if (login === undefined || this.#toldSecrets) return login;
    this.#toldSecrets = true;
    this.#identity = login.username;
    for (const secret of [login.password, login.identityToken]) if (secret) this.#options.onSecret(secret);
    this.#options.onSecret(basicCredentials(login));
    return login;
  }
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(" ");
}
