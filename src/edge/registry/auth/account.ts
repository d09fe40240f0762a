import { isFailure } from "../../../model/failure.ts";

/** What docker's `config.json` or a credential helper says about a host. `identityToken` replaces the password. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string;
}

/**
 * The credential for one way to a registry, shared by all who use that way. Whether it is right is asked once, alone, and
 * before it is used for anything: a password that is wrong, tried for each of a hundred requests, locks the account in
 * the directory behind the registry. A no is final.
 */
export class Account {
  readonly #find: () => Promise<Login | undefined>;
  #login: Promise<Login | undefined> | undefined;
  #proof: Promise<void> | undefined;
  #isProved = false;

  /**
   * `find` is asked once, when the registry first wants to know who we are. What it could not say stays so: a helper that
   * hangs would be waited for, and a person be asked, with every request.
   */
  constructor(find: () => Promise<Login | undefined>) {
    this.#find = find;
  }

  get isProved(): boolean {
    return this.#isProved;
  }

  login(): Promise<Login | undefined> {
    this.#login ??= this.#find();
    return this.#login;
  }

  /** Who we are, once `prove` of whoever came first did not throw. @throws what it threw; a refusal for good */
  async proved(prove: (login: Login) => Promise<void>): Promise<Login | undefined> {
    const login = await this.login();
    if (login === undefined) return undefined;
    if (this.#proof === undefined) {
      const proof = prove(login);
      this.#proof = proof;
      // Somebody who could not answer has not said no.
      proof.catch((error: unknown) => {
        if (!isFailure(error, "REGISTRY_LOGIN_WRONG", "REGISTRY_DENIED")) this.#proof = undefined;
      });
    }
    await this.#proof;
    this.#isProved = true;
    return login;
  }
}

/** Nobody: for what is asked as a stranger. */
export const stranger = (): Account => new Account(() => Promise.resolve(undefined));

/** https://www.rfc-editor.org/rfc/rfc7617, with UTF-8 as registries read it. */
export function basicCredentials(login: Login): string {
  return Buffer.from(`${login.username}:${login.password}`, "utf8").toString("base64");
}

export function basicHeader(login: Login): string;
export function basicHeader(login: Login | undefined): string | undefined;
export function basicHeader(login: Login | undefined): string | undefined {
  return login === undefined ? undefined : `Basic ${basicCredentials(login)}`;
}
