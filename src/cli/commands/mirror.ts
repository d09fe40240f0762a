import { parseRelocationMap } from "../../edge/files/config.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { mirror } from "../../pipeline/mirror.ts";
import { sendingLines } from "../../ui/sizing.ts";
import { visible } from "../../ui/width.ts";
import type { Context } from "../context.ts";
import { text, truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { missingInside, rateOf, rehearsedSite, withBuild } from "../wire/build-session.ts";
import { openTarget } from "../wire/registries.ts";
import { openSite } from "../wire/site-session.ts";
import { printPushed } from "./push.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const file = await openSite(flags, context);
  const { site, sitePath } = file;
  const rehearsed = await rehearsedSite(file, flags, context);
  const [dryRun, rate] = [truth(flags, "dry-run"), rateOf(text(flags, "rate"))];
  await withBuild(flags, { kind: ".mirror", site: rehearsed }, context, async (session) => {
    const { out, input, ports, options, written } = session;
    // Before anything is sent: `install` would refuse what is written at the end.
    if (site.trustKeys.length > 0 && text(flags, "sign-key") === undefined)
      throw new Failure("BUNDLE_UNSIGNED", { path: out });
    const { concurrency } = options;
    await using target = await openTarget({ site, sitePath, concurrency }, context);
    const { plan, pushed, bundle } = await mirror(
      input,
      site,
      {
        ...ports,
        target: target.target,
        pushOptions: target.pushOptions,
        harbor: () => target.harbor(),
        parseRelocation: parseRelocationMap,
        userValues: rehearsed.userValues,
      },
      { ...options, dryRun },
    );
    printPushed(plan, pushed, { dryRun }, context);
    if (!("lock" in bundle)) {
      const sending = { size: pushed.uploaded, file: bundle.size, rate, missing: missingInside(context) };
      context.stdout.write(`${sendingLines(sending, context.language).map(visible).join("\n")}\n`);
      return;
    }
    await written(bundle);
    options.report({ type: "note", text: "mirrored", facts: { prefix: plan.prefix, path: out } });
  });
  return hasErrors(context.reporter.findings) ? ExitCode.findings : ExitCode.done;
}
