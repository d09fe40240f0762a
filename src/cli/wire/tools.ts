import { access, constants, stat } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { Failure } from "../../model/failure.ts";
import type { Site } from "../../model/site.ts";
import type { Context } from "../context.ts";

/** Finds helm or kubectl: as named, then on PATH, then beside an unpacked bundle (`bin/helm-linux-amd64`). */
export async function findTool(tool: "helm" | "kubectl", named: string | undefined, context: Context): Promise<string> {
  if (named !== undefined) {
    const path = resolve(context.cwd, named);
    if (await isExecutable(path)) return path;
    throw new Failure("TOOL_MISSING", { tool, looked: path });
  }
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const onPath = (context.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, tool));
  const candidates = [...onPath, join(context.cwd, "bin", `${tool}-linux-${architecture}`)];
  for (const path of candidates) if (await isExecutable(path)) return path;
  throw new Failure("TOOL_MISSING", { tool, looked: `PATH, bin/${tool}-linux-${architecture}` });
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
