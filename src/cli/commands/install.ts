import { install } from "../../pipeline/install.ts";
import { hasErrors } from "../../model/finding.ts";
import type { Context } from "../context.ts";
import { texts, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { installPorts, openTools } from "../wire/install-ports.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTarget } from "../wire/target.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using session = await openSiteBundle(flags, context);
  const { site, sitePath, bundle } = session;
  const options = { site, sitePath, concurrency: wholeNumber(flags, "concurrency", 1, 64) };
  await using target = await openTarget(options, context);
  await using tools = await openTools(flags, site, context);
  const { findings } = await install(bundle, site, await installPorts(options, target, tools, context), {
    skip: new Set(texts(flags, "skip")),
    forceConflicts: truth(flags, "force-conflicts"),
    concurrency: options.concurrency,
    signal: context.signal,
    report: context.reporter.report,
  });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
