import { reportFindings } from "../../model/event.ts";
import { resolve } from "node:path";
import { inspectVolumes } from "../../edge/disk/volumes.ts";
import { replaceFile } from "../../edge/files/replace.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { itemsIn } from "../../stages/verify/items-in.ts";
import { evidence } from "../../stages/verify/verify.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import type { Context } from "../context.ts";
import { required, text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { tool } from "../version.ts";
import { openToJudge, checkSignature, trustedKeys, verifySm3, verifyWhole } from "../wire/bundles.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const path = required(flags, "bundle");
  const reportPath = text(flags, "report");
  // The report is for machines; a browser would show a page of braces, found out after an hour of hashing.
  if (reportPath !== undefined && /\.html?$/i.test(reportPath))
    throw new Failure("USAGE", { what: `--report ${reportPath}`, wrong: "form", wanted: "--report verify.json" });
  const [quick, mustBe] = [truth(flags, "quick"), text(flags, "sums") !== undefined];
  if (quick && mustBe) throw new Failure("USAGE", { what: "--quick", wrong: "apart", wanted: "--sums" });
  report({ type: "phase", phase: "verify", state: "started" });
  const volumes = await inspectVolumes(resolve(context.cwd, path), { itemsIn });
  reportFindings(volumes, report);
  if (hasErrors(volumes)) return ExitCode.findings;
  await using bundle = await openToJudge(path, texts(flags, "base"), context);
  const keys = await keysFor(flags, context);
  const signed = await checkSignature(bundle, keys, context);
  const sm3 = quick ? undefined : await verifySm3(resolve(context.cwd, path), { keys, mustBe }, context);
  const result = await verifyWhole(bundle, { quick }, context);
  const findings = [...(sm3?.findings ?? []), ...result.findings];
  reportFindings(findings, report);
  if (reportPath !== undefined)
    await replaceFile(
      resolve(context.cwd, reportPath),
      canonicalJson(evidence(bundle, { ...result, findings }, { at: context.now(), tool, signed, sm3 })),
    );
  report({ type: "phase", phase: "verify", state: "done" });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}

/** Few name a site file, and what reads it would be half of what this command loads. */
async function keysFor(flags: Flags, context: Context): Promise<readonly string[]> {
  if (text(flags, "site") === undefined) return trustedKeys(flags, undefined);
  return (await import("../wire/site-session.ts")).namedKeys(flags, context);
}
