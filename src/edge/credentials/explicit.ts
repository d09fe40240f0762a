import { Failure } from "../../model/failure.ts";
import type { CredentialsSource } from "../../model/spec.ts";
import type { Login } from "../registry/access.ts";
import { readBounded } from "./read-bounded.ts";

type Env = Readonly<Record<string, string | undefined>>;

const maxSecret = 64 * 1024;

/** What a file names: a user, and where the password is. @throws Failure CREDENTIALS_UNUSABLE */
export async function explicitLogin(source: CredentialsSource, env: Env): Promise<Login> {
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
  const password = text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0] ?? "";
  if (password === "") throw unusable(path, "empty");
  return password;
}

function unusable(where: string, why: string): Failure {
  return new Failure("CREDENTIALS_UNUSABLE", { where, why });
}
