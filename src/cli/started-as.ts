import { isSingleExecutable } from "../edge/files/assets.ts";
import type { ProgramStart } from "../edge/process/helm-post-renderer.ts";

/** How this very program is started once more: by its file alone, or by Node and the script that was named. */
export function startedAs(): ProgramStart {
  return { command: process.execPath, args: isSingleExecutable() ? [] : process.argv.slice(1, 2) };
}
