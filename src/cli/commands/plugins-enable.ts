import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { switchOn, wantedPlugins } from "../../pipeline/plugins.ts";
import type { Context } from "../context.ts";
import { texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { installPorts, openTools } from "../wire/install-ports.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTarget } from "../wire/target.ts";

/** Switches plugins on by name, one after another, and watches the gateway; what harms it is switched off again. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const names = texts(flags, "name");
  if (names.length === 0) throw new Failure("USAGE", { what: "--name <value>" });
  const { report } = context.reporter;
  await using session = await openSiteBundle(flags, context);
  const { sitePath, relocated } = session;
  const site = { ...session.site, plugins: { ...session.site.plugins, enable: [...names], manifests: [] } };
  await using target = await openTarget({ site, sitePath }, context);
  await using tools = await openTools(flags, site, context);
  const ports = await installPorts({ site, sitePath }, target, tools, context);
  const wanted = wantedPlugins(relocated, site, ports);
  for (const found of wanted.findings) report({ type: "finding", finding: found });
  if (hasErrors(wanted.findings)) return ExitCode.findings;
  const options = { skip: new Set<string>(), forceConflicts: false, signal: context.signal, report };
  const { findings } = await switchOn(wanted.plugins, relocated, site, ports, options);
  for (const found of findings) report({ type: "finding", finding: found });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
