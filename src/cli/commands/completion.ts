import { basename } from "node:path";
import { Failure } from "../../model/failure.ts";
import { completionScripts, shells } from "../completion-scripts.ts";
import type { Context } from "../context.ts";
import { text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";

/** Prints the script of a shell; without a name, of the shell that the user has. */
// eslint-disable-next-line @typescript-eslint/require-await -- commands are promises
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const asked = text(flags, "shell") ?? basename(context.env["SHELL"] ?? "");
  const shell = shells.find((name) => name === asked);
  if (shell === undefined) throw new Failure("USAGE", { what: `completion ${asked}: ${shells.join(", ")}` });
  context.stdout.write(completionScripts[shell]);
  return ExitCode.done;
}
