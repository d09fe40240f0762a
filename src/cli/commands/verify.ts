import { rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { hashRanges } from "../../edge/disk/hash-ranges.ts";
import { inspectVolumes } from "../../edge/disk/volumes.ts";
import { hasErrors } from "../../model/finding.ts";
import { verifyBundle } from "../../stages/verify/verify.ts";
import { evidence } from "../../stages/verify/report.ts";
import { canonicalJson, type Json } from "../../std/canonical-json.ts";
import type { Context } from "../context.ts";
import { required, text, texts, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { tool } from "../version.ts";
import { openBundles } from "../wire/bundle.ts";
import { checkSignature } from "../wire/signature.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const path = required(flags, "bundle");
  report({ type: "phase", phase: "verify", state: "started" });
  const volumes = await inspectVolumes(resolve(context.cwd, path));
  for (const found of volumes) report({ type: "finding", finding: found });
  if (hasErrors(volumes)) return ExitCode.findings;
  await using bundle = await openBundles(path, texts(flags, "base"), context);
  const signed = await checkSignature(bundle, texts(flags, "key"), context);
  const result = await verifyBundle(
    bundle,
    { hashRanges: (ranges, onBytes) => hashRanges(bundle.source, ranges, { onBytes, signal: context.signal }) },
    { quick: truth(flags, "quick"), signal: context.signal, report },
  );
  for (const found of result.findings) report({ type: "finding", finding: found });
  const reportPath = text(flags, "report");
  if (reportPath !== undefined)
    await writeReport(resolve(context.cwd, reportPath), evidence(bundle, result, { at: context.now(), tool, signed }));
  report({ type: "phase", phase: "verify", state: "done", detail: `${result.checked.entries}` });
  return hasErrors(result.findings) ? ExitCode.findings : ExitCode.done;
}

async function writeReport(path: string, report: unknown): Promise<void> {
  await writeFile(`${path}.partial`, canonicalJson(report as Json));
  await rename(`${path}.partial`, path);
}
