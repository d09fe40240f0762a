import type { Context } from "../context.ts";
import { truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { printPushed, pushPlan } from "../wire/push.ts";
import { openTarget } from "../wire/registries.ts";
import { openSiteBundle } from "../wire/site-session.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  await using opened = await openSiteBundle(flags, context);
  const { site, sitePath, bundle, plan } = opened;
  const options = { dryRun: truth(flags, "dry-run"), concurrency: wholeNumber(flags, "concurrency", 1, 64) };
  await using target = await openTarget({ site, sitePath, concurrency: options.concurrency }, context);
  printPushed(plan, await pushPlan({ site, plan, source: bundle }, target, options, context), options, context);
  return ExitCode.done;
}
