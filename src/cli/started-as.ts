import { basename, delimiter, dirname, isAbsolute } from "node:path";
import { isSingleExecutable } from "../edge/files/assets.ts";
import type { ProgramStart } from "../edge/process/helm-post-renderer.ts";
import type { Context } from "./context.ts";

/** How this very program is started once more: by its file alone, or by Node and the script that was named. */
export function startedAs(): ProgramStart {
  return { command: process.execPath, args: isSingleExecutable() ? [] : process.argv.slice(1, 2) };
}

/**
 * How a person starts this program again, from whatever folder: by install.sh, which says where it is, by its name where
 * a shell finds that, and else by its file.
 */
export function typedAs(env: Context["env"]): readonly string[] {
  const { HIGRESS_AIRGAP_INSTALLER: installer = "" } = env;
  if (isAbsolute(installer)) return [installer];
  const { command, args } = startedAs();
  const [script = command] = args;
  // npm links it under this name.
  if (basename(script) === "higress-airgap") return [asFound(script, env)];
  return [asFound(command, env), ...args];
}

/** Its name alone where the folder is on PATH. */
export function asFound(path: string, env: Context["env"]): string {
  return (env["PATH"] ?? "").split(delimiter).includes(dirname(path)) ? basename(path) : path;
}
