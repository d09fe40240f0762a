import type { IncomingMessage } from "node:http";

export interface TokenServiceOptions {
  readonly username: string;
  readonly password: string;
  /** @default 300 */
  readonly expiresIn?: number;
  /** Harbor's ways: its own service name, `access_token: ""`, and a Basic challenge for whoever sent a bad header. */
  readonly harbor?: boolean;
  /** What the challenge says instead of our own origin, as an external_url does. */
  readonly realm?: string;
  /** `access_token` instead of `token`. */
  readonly accessTokenOnly?: boolean;
  /** Seconds until the registry takes a token that was just given out, as of a host whose clock is behind. */
  readonly validIn?: number;
  /** Asks for this scope whatever is done, and takes only tokens for it. */
  readonly wants?: string;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The token service of a registry, and the registry's own check of what it gave out. */
export class TokenService {
  readonly path: string;
  readonly #options: TokenServiceOptions;
  /** Every token that was given out, in order. */
  readonly issued: string[] = [];
  /** Milliseconds from when on. */
  readonly #valid = new Map<string, number>();
  #refusesAll = false;

  constructor(options: TokenServiceOptions) {
    this.#options = options;
    this.path = options.harbor === true ? "/service/token" : "/auth/token";
  }

  /** From now on no token of before is good: what a restart, a changed key or the clock does. */
  revoke(): void {
    this.#valid.clear();
  }

  /** From now on none is taken, though they are given out: what a proxy does that takes the header out. */
  refuseAll(): void {
    this.#refusesAll = true;
  }

  /** `undefined`: let it in. */
  check(request: IncomingMessage, origin: string, needed: string): Reply | undefined {
    const [scheme, value] = (request.headers.authorization ?? "").split(" ", 2);
    if (this.#takes(scheme, value)) return undefined;
    const { realm = `${origin}${this.path}`, wants: scope = needed } = this.#options;
    const service = this.#options.harbor === true ? "harbor-registry" : "registry.test";
    const bearer = `Bearer realm="${realm}",service="${service}",scope="${scope}"`;
    const challenge = this.#options.harbor === true && scheme !== "" ? 'Basic realm="harbor"' : bearer;
    const body = {
      errors: [{ code: "UNAUTHORIZED", message: `you sent ${request.headers.authorization ?? "nothing"}` }],
    };
    return { status: 401, headers: { "www-authenticate": challenge }, body: JSON.stringify(body) };
  }

  #takes(scheme: string | undefined, value = ""): boolean {
    if (scheme === "Basic") return value === this.#basic;
    return scheme === "Bearer" && !this.#refusesAll && Date.now() >= (this.#valid.get(value) ?? Infinity);
  }

  answer(request: IncomingMessage, url: URL): Reply {
    const scopes = url.searchParams.getAll("scope").flatMap((each) => each.split(" "));
    const authorized = request.headers.authorization === `Basic ${this.#basic}`;
    if (!authorized && (scopes.length === 0 || this.#options.harbor !== true)) {
      return { status: 401, headers: {}, body: "" };
    }
    const access = scopes.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: authorized ? actions.split(",") : [] };
    });
    const validFrom = Date.now() + (this.#options.validIn ?? 0) * 1000;
    const claims = { access, jti: this.issued.length, nbf: Math.floor(validFrom / 1000) };
    const token = `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
    this.issued.push(token);
    const { wants } = this.#options;
    if (authorized && (wants === undefined || scopes.includes(wants))) this.#valid.set(token, validFrom);
    const named = this.#options.accessTokenOnly === true ? { access_token: token } : { token, access_token: "" };
    const body = JSON.stringify({ ...named, expires_in: this.#options.expiresIn ?? 300 });
    return { status: 200, headers: { "content-type": "application/json" }, body };
  }

  get #basic(): string {
    return Buffer.from(`${this.#options.username}:${this.#options.password}`).toString("base64");
  }
}
