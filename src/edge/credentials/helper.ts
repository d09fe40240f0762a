import * as z from "zod";
import { Failure, isFailure } from "../../model/failure.ts";
import { sanitize } from "../../model/sanitize.ts";
import { run } from "../process/run.ts";
import type { Login } from "../registry/access.ts";
import { serverKey } from "./host-keys.ts";

export interface HelperOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** False: a helper that is not installed knows nothing. */
  readonly mustExist: boolean;
}

const HelperAnswer = z.object({ Username: z.string(), Secret: z.string() });

const timeoutSeconds = 30;

/**
 * Asks `docker-credential-NAME get` over its standard input. `undefined`: it does not know the host.
 * https://github.com/docker/docker-credential-helpers#development
 */
export async function helperLogin(name: string, host: string, options: HelperOptions): Promise<Login | undefined> {
  const program = `docker-credential-${name}`;
  // The name is part of a program's name: a path in it would run any file.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) throw unusable("docker-credential-?", "name");
  const { env, signal } = options;
  const server = serverKey(host.split("/", 1)[0] ?? host);
  try {
    const result = await run(program, {
      args: ["get"],
      env,
      input: server,
      signal,
      timeoutSeconds,
      maxOutput: 1024 ** 2,
    });
    if (result.exitCode === 0) return parsed(result.stdout, program);
    const said = `${result.stdout} ${result.stderr}`;
    if (/credentials not found|no credentials server url|no credentials/i.test(said)) return undefined;
    throw unusable(program, sanitize(`exit ${result.exitCode} ${said}`, 200));
  } catch (error) {
    if (!isFailure(error, "TOOL_MISSING")) throw error;
    if (options.mustExist) throw unusable(program, error.facts.looked);
    return undefined;
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
