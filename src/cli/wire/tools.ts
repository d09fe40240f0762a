import { access, constants, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { Site } from "../../model/site.ts";
import type { Context } from "../context.ts";
import { checkProgram, type Origin } from "./carried-program.ts";

export interface FindToolOptions {
  /** As the flag or the site file names it. */
  readonly named?: string | undefined;
  /** Public keys of the site: what a bundle carries must be signed by one of them. */
  readonly keys?: readonly string[] | undefined;
}

/**
 * Finds helm or kubectl: as named, then on PATH, then beside an unpacked bundle (`bin/helm-linux-amd64`).
 * @throws Failure TOOL_MISSING, PROGRAM_UNTRUSTED
 */
export async function findTool(
  tool: "helm" | "kubectl",
  { named, keys = [] }: FindToolOptions,
  context: Context,
): Promise<string> {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const carried = `bin/${tool}-linux-${architecture}`;
  for (const { path, origin } of candidates(tool, named, carried, context)) {
    if (!(await isExecutable(path))) continue;
    await checkProgram(path, origin, keys, context);
    return path;
  }
  const looked = named === undefined ? `PATH, ${carried}` : resolve(context.cwd, named);
  throw new Failure("TOOL_MISSING", { tool, looked });
}

interface Candidate {
  readonly path: string;
  readonly origin: Origin;
}

function candidates(
  tool: string,
  named: string | undefined,
  carried: string,
  { cwd, env }: Context,
): readonly Candidate[] {
  if (named !== undefined) return [{ path: resolve(cwd, named), origin: "named" }];
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [
    ...folders.map((folder): Candidate => ({ path: join(folder, tool), origin: "path" })),
    { path: join(cwd, carried), origin: "bundle" },
  ];
}

async function isExecutable(path: string): Promise<boolean> {
  // A folder can be entered, which is what X says of it.
  const file = await stat(path).catch(() => undefined);
  if (file?.isFile() !== true) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The environment for programs that we start: passwords that the site keeps in variables are for us alone. */
export function withoutPasswords(env: Context["env"], { registry, pull, registries }: Site): Context["env"] {
  const endpoints = Object.values(registries).flatMap((each) => each.endpoints);
  const sources = [registry.credentials, pull.credentials, ...endpoints.map(({ credentials }) => credentials)];
  const names = new Set(sources.map((source) => source?.passwordEnv));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}
