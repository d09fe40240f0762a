import * as z from "zod";
import { Failure } from "../../model/failure.ts";
import type { Login } from "../registry/access.ts";
import { helperLogin } from "./helper.ts";
import { matchingKeys } from "./host-keys.ts";
import { readBounded } from "./read-bounded.ts";

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
export interface DockerConfig extends z.output<typeof DockerConfig> {}

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

export interface LoginOfOptions {
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
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
  // Old docker padded it with NULs.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}
