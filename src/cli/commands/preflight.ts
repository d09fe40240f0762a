import { reportFindings } from "../../model/event.ts";
import { hasErrors } from "../../model/finding.ts";
import type { Context } from "../context.ts";
import type { Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { openTools } from "../wire/tools.ts";
import { adoptExisting } from "../wire/adoption.ts";
import { preflightOf } from "../wire/install-ports.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTarget } from "../wire/registries.ts";

/** Asks registry and cluster everything; changes nothing. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  await using session = await openSiteBundle(flags, context);
  report({ type: "phase", phase: "preflight", state: "started" });
  const { site, sitePath } = session;
  await using target = await openTarget({ site, sitePath }, context);
  await using tools = await openTools(flags, site, context);
  const adoption = await adoptExisting(flags, session, tools, context, { asks: false });
  for (const step of adoption.steps) report(step);
  const asked = { ...session, plan: adoption.plan };
  const answered = await preflightOf(asked, target, { site, sitePath }, tools, context, { report });
  const findings = [...adoption.findings, ...answered.findings];
  reportFindings(findings, report);
  if (answered.failure !== undefined) throw answered.failure;
  report({ type: "phase", phase: "preflight", state: "done" });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
