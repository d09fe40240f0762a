import { resolve } from "node:path";
import { loadSite } from "../../edge/files/config.ts";
import { install } from "../../pipeline/install.ts";
import type { Context } from "../context.ts";
import { required, texts, truth, wholeNumber, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openBundles } from "../wire/bundle.ts";
import { installPorts, openTools } from "../wire/install-ports.ts";
import { checkSignature } from "../wire/signature.ts";
import { connectTarget } from "../wire/target.ts";

export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const sitePath = resolve(context.cwd, required(flags, "site"));
  const site = await loadSite(sitePath);
  await using bundle = await openBundles(required(flags, "bundle"), texts(flags, "base"), context);
  await checkSignature(bundle, [...texts(flags, "key"), ...site.trustKeys], context);
  const concurrency = wholeNumber(flags, "concurrency", 1, 64);
  await using registry = await connectTarget(site, sitePath, context, concurrency);
  await using tools = await openTools(flags, site, context);
  await install(bundle, site, await installPorts(site, sitePath, registry, tools, context), {
    skip: new Set(texts(flags, "skip")),
    forceConflicts: truth(flags, "force-conflicts"),
    concurrency,
    signal: context.signal,
    report: context.reporter.report,
  });
  return ExitCode.done;
}
