import { hasErrors } from "../../model/finding.ts";
import type { Context } from "../context.ts";
import type { Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { clusterFindings } from "../wire/cluster-preflight.ts";
import { openTools } from "../wire/install-ports.ts";
import { pluginFindings } from "../wire/plugin-preflight.ts";
import { registryFindings } from "../wire/preflight.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTarget } from "../wire/target.ts";

/** Asks registry and cluster everything; changes nothing. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  await using session = await openSiteBundle(flags, context);
  report({ type: "phase", phase: "preflight", state: "started" });
  const { site, sitePath } = session;
  await using target = await openTarget({ site, sitePath }, context);
  await using tools = await openTools(flags, site, context);
  const findings = [
    ...(await registryFindings(session, target, { site, sitePath }, context)),
    ...(await clusterFindings(session, tools, context)),
    ...(await pluginFindings(session, context)),
  ];
  for (const found of findings) report({ type: "finding", finding: found });
  report({ type: "phase", phase: "preflight", state: "done" });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
