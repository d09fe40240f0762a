import * as z from "zod";
import type { Report } from "../../model/event.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import { readText } from "../files/read-text.ts";
import { run, timedOut } from "../process/run.ts";
import type { Login } from "../registry/auth/account.ts";

const Entry = z.object({
  auth: z.string().nullish(),
  username: z.string().nullish(),
  password: z.string().nullish(),
  identitytoken: z.string().nullish(),
});

/** docker's `config.json` and containers' `auth.json`, as far as logins go. */
const DockerConfig = z.object({
  auths: z.record(z.string(), Entry.nullish()).nullish(),
  credHelpers: z.record(z.string(), z.string()).nullish(),
  credsStore: z.string().nullish(),
});
interface DockerConfig extends z.output<typeof DockerConfig> {}

const maxConfig = 4 * 1024 * 1024;

/** `undefined` when there is no such file. @throws Failure CREDENTIALS_UNUSABLE; never with the text, which holds secrets */
export async function readDockerConfig(path: string): Promise<DockerConfig | undefined> {
  const text = await readBounded(path, maxConfig);
  if (text === undefined) return undefined;
  let document: unknown;
  try {
    document = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: "not JSON" });
  }
  const parsed = DockerConfig.safeParse(document);
  if (parsed.success) return parsed.data;
  const member = parsed.error.issues[0]?.path.join(".") ?? "?";
  throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: `unexpected ${member}` });
}

interface LoginOfOptions {
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
  /** @default patience */
  readonly patience?: Patience | undefined;
}

/** A helper of the host, else the common store, else what the file itself holds: docker's order. */
export async function loginOf(config: DockerConfig, host: string, options: LoginOfOptions): Promise<Login | undefined> {
  const [helperKey] = matchingKeys(Object.keys(config.credHelpers ?? {}), host);
  const helper = helperKey === undefined ? undefined : config.credHelpers?.[helperKey];
  if (helper !== undefined && helper !== "") {
    return helperLogin(helper, host, { ...options, mustExist: true });
  }
  const entries = entriesOf(config, host);
  if (config.credsStore) {
    // A store that is not installed matters only when docker says that it holds this host.
    const stored = await helperLogin(config.credsStore, host, { ...options, mustExist: entries.length > 0 });
    if (stored !== undefined) return stored;
  }
  return entries
    .map(({ key, entry }) => entryLogin(entry, `${options.path} auths.${key}`))
    .find((login) => login !== undefined);
}

function entriesOf(config: DockerConfig, host: string): readonly { key: string; entry: z.output<typeof Entry> }[] {
  const auths = config.auths ?? {};
  return matchingKeys(Object.keys(auths), host).map((key) => ({ key, entry: auths[key] ?? {} }));
}

/** docker writes an empty entry for what its store holds. */
function entryLogin(entry: z.output<typeof Entry>, where: string): Login | undefined {
  const { username, password } = entry.auth ? decoded(entry.auth, where) : entry;
  const identityToken = entry.identitytoken ? { identityToken: entry.identitytoken } : {};
  if (!username && !password && !entry.identitytoken) return undefined;
  return { username: username || "<token>", password: password ?? "", ...identityToken };
}

function decoded(auth: string, where: string): { username: string; password: string } {
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 1) throw new Failure("CREDENTIALS_UNUSABLE", { where, why: "auth" });
  // Old versions of docker padded the password with NULs.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

interface HelperOptions extends Pick<LoginOfOptions, "env" | "signal" | "report" | "patience"> {
  /** False: a helper that is not installed knows nothing. */
  readonly mustExist: boolean;
}

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() });

/** Seconds until it is told who is waited for, and until nobody waits any more. */
export interface Patience {
  readonly told: number;
  readonly limit: number;
}

/** A helper may ask a person to unlock a key store, which takes longer than a program that answers. */
const patience: Patience = { told: 5, limit: 30 };

/**
 * Asks `docker-credential-NAME get` over its standard input. `undefined`: it does not know the host.
 * https://github.com/docker/docker-credential-helpers#development
 */
async function helperLogin(name: string, host: string, options: HelperOptions): Promise<Login | undefined> {
  const program = `docker-credential-${name}`;
  // The name is part of a program's name: a path in it would run any file.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) throw unusable("docker-credential-?", "name");
  const { env, signal } = options;
  const server = serverKey(host.split("/", 1)[0] ?? host);
  const { told, limit } = options.patience ?? patience;
  const facts = { program, host: server, seconds: told, limit };
  const wait = setTimeout(() => options.report?.({ type: "note", text: "helper-silent", facts }), told * 1000);
  try {
    const result = await run(program, {
      args: ["get"],
      env,
      input: server,
      signal,
      timeoutSeconds: limit,
      killAfterSeconds: 2,
      maxOutput: 1024 ** 2,
    });
    if (result.exitCode === 0) return parsed(result.stdout, program);
    const said = `${result.stdout} ${result.stderr}`;
    if (/credentials not found|no credentials server url|no credentials/i.test(said)) return undefined;
    if (result.exitCode === timedOut) throw unusable(program, `no answer in ${limit} s`);
    throw unusable(program, sanitize(`exit ${result.exitCode} ${said}`, 200));
  } catch (error) {
    if (!isFailure(error, "TOOL_MISSING")) throw error;
    if (options.mustExist) throw unusable(program, error.facts.looked);
    return undefined;
  } finally {
    clearTimeout(wait);
  }
}

function parsed(stdout: string, program: string): Login | undefined {
  let document: unknown;
  try {
    document = JSON.parse(stdout);
  } catch {
    throw unusable(program, "not JSON");
  }
  const answer = HelperAnswer.safeParse(document);
  if (!answer.success) throw unusable(program, "no Username and Secret");
  const { Username: username, Secret: password } = answer.data;
  if (username === "" && password === "") return undefined;
  return username === "<token>" ? { username, password: "", identityToken: password } : { username, password };
}

function unusable(where: string, why: string): Failure {
  return new Failure("CREDENTIALS_UNUSABLE", { where, why });
}

/** Docker Hub has one account and many names; docker login writes the first. */
const hubKey = "https://index.docker.io/v1/";
const hubHosts: ReadonlySet<string> = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** What a credential helper is asked for. */
function serverKey(host: string): string {
  return hubHosts.has(host) ? hubKey : host;
}

/**
 * The keys that are `host` or a path above it, the longest first. Whole segments only: `corp` is no prefix of
 * `corp.evil.example`, and a substring match is how credentials leak.
 */
export function matchingKeys(keys: readonly string[], host: string): readonly string[] {
  const wanted = normal(host);
  return keys
    .filter((key) => {
      const each = normal(key);
      return each !== "" && (wanted === each || wanted.startsWith(`${each}/`));
    })
    .sort((a, b) => normal(b).length - normal(a).length);
}

/** `https://Host/v1/` and `host` are one. */
function normal(key: string): string {
  const bare = key
    .replace(/^https?:\/\//i, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/+$/, "");
  const slash = bare.indexOf("/");
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  return `${hubHosts.has(host) ? "docker.io" : host}${slash < 0 ? "" : bare.slice(slash)}`;
}

/**
 * A small file as text; `undefined` when there is none. Never past `limit`.
 * @throws Failure CREDENTIALS_UNUSABLE
 */
export async function readBounded(path: string, limit: number): Promise<string | undefined> {
  try {
    return await readText(path, limit);
  } catch (cause) {
    if (isFailure(cause, "FILE_MISSING")) return undefined;
    if (isFailure(cause, "FILE_ENCODING"))
      throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: `not UTF-8, ${cause.facts.encoding}` }, { cause });
    if (!isFailure(cause, "FILE_UNREADABLE")) throw cause;
    const { reason } = cause.facts;
    if (reason === "ENOTDIR") return undefined;
    throw new Failure("CREDENTIALS_UNUSABLE", { where: path, why: reason }, { cause });
  }
}
