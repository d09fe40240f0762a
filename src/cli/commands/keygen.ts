import { resolve } from "node:path";
import { keygen } from "../../edge/disk/signature.ts";
import type { Context } from "../context.ts";
import { required, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const files = await keygen(resolve(context.cwd, required(flags, "out")));
  for (const path of [files.privateKey, files.publicKey])
    context.reporter.report({ type: "note", text: "saved", facts: { path } });
  return ExitCode.done;
}
