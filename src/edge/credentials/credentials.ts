import { join } from "node:path";
import type { Report } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import type { CredentialsSource } from "../../model/spec.ts";
import type { Login } from "../registry/auth/account.ts";
import { loginOf, readDockerConfig, readBounded, type Patience } from "./docker-config.ts";

interface FindLoginOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the spec or site file says about where the secret is; nothing else is looked at then. */
  readonly source?: CredentialsSource | undefined;
  /** @default $HOME */
  readonly home?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears of a helper that does not answer. */
  readonly report?: Report | undefined;
  readonly patience?: Patience | undefined;
}

/**
 * Who we are at `host` (which may have a path: containers/auth.json names projects). The first file that knows the
 * host wins; `undefined`: none does, and we are anonymous.
 * @throws Failure CREDENTIALS_UNUSABLE for a place that was named and cannot be used, or that knows the host and is broken
 */
export async function findLogin(host: string, options: FindLoginOptions): Promise<Login | undefined> {
  const { env, source } = options;
  if (source !== undefined && Object.values(source).some((value) => value !== undefined)) {
    return explicitLogin(source, env);
  }
  for (const { path, required } of places(env, options.home ?? env["HOME"])) {
    const config = await readDockerConfig(path);
    if (config === undefined) {
      if (required) throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: "ENOENT" });
      continue;
    }
    const login = await loginOf(config, host, { ...options, path });
    if (login !== undefined) return login;
  }
  return undefined;
}

interface Place {
  readonly path: string;
  readonly required: boolean;
}

/** The order of podman, skopeo and docker. A file that a variable names alone is the only one, and must be there. */
function places(env: FindLoginOptions["env"], home: string | undefined): readonly Place[] {
  const named = env["REGISTRY_AUTH_FILE"];
  if (named) return [{ path: named, required: true }];
  const directories = [
    ...(env["DOCKER_CONFIG"] ? [join(env["DOCKER_CONFIG"], "config.json")] : []),
    ...(home ? [join(home, ".docker", "config.json")] : []),
    ...(env["XDG_RUNTIME_DIR"] ? [join(env["XDG_RUNTIME_DIR"], "containers", "auth.json")] : []),
  ];
  return directories.map((path) => ({ path, required: false }));
}

type Env = Readonly<Record<string, string | undefined>>;

const maxSecret = 64 * 1024;

/** What a file names: a user, and where the password is. @throws Failure CREDENTIALS_UNUSABLE */
async function explicitLogin(source: CredentialsSource, env: Env): Promise<Login> {
  const username = source.username ?? (source.usernameEnv === undefined ? undefined : fromEnv(source.usernameEnv, env));
  if (username === undefined) throw unusable("username, usernameEnv", "neither is set");
  if (source.passwordEnv !== undefined) return { username, password: fromEnv(source.passwordEnv, env) };
  if (source.passwordFile !== undefined) return { username, password: await fromFile(source.passwordFile) };
  throw unusable("passwordFile, passwordEnv", "neither is set");
}

function fromEnv(name: string, env: Env): string {
  const value = env[name];
  if (!value) throw unusable(`env ${name}`, value === undefined ? "not set" : "empty");
  return value;
}

/** The first line: editors and `echo` end it, and a password has no line break. */
async function fromFile(path: string): Promise<string> {
  const text = await readBounded(path, maxSecret);
  if (text === undefined) throw unusable(path, "ENOENT");
  const password = text.split(/\r?\n/, 1)[0] ?? "";
  if (password === "") throw unusable(path, "empty");
  return password;
}

function unusable(where: string, why: string): Failure {
  return new Failure("CREDENTIALS_UNUSABLE", { where, why });
}
