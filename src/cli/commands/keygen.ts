import { resolve } from "node:path";
import { keygen } from "../../edge/disk/signature.ts";
import { signatureAlgorithms } from "../../model/choices.ts";
import type { Context } from "../context.ts";
import { required, text, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const algorithm = signatureAlgorithms.find((each) => each === text(flags, "algorithm"));
  const files = await keygen(resolve(context.cwd, required(flags, "out")), algorithm);
  for (const path of [files.privateKey, files.publicKey])
    context.reporter.report({ type: "note", text: "saved", facts: { path } });
  return ExitCode.done;
}
