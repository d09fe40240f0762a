import { reportFindings } from "../../model/event.ts";
import { hasErrors } from "../../model/finding.ts";
import { checkLive } from "../../pipeline/check.ts";
import type { Context } from "../context.ts";
import type { Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTools } from "../wire/tools.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { urlAskerOf } from "../wire/install-ports.ts";

export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  await using session = await openSiteBundle(flags, context);
  const { site, sitePath } = session;
  await using tools = await openTools(flags, site, context);
  report({ type: "phase", phase: "check", state: "started" });
  const findings = await checkLive(
    session,
    {
      helm: tools.helm,
      cluster: tools.kubectl,
      urlAsker: () => urlAskerOf({ site, sitePath }, tools, context),
    },
    context.signal,
  );
  reportFindings(findings, report);
  report({ type: "phase", phase: "check", state: "done" });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
