import { reportFindings } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors, type Finding } from "../../model/finding.ts";
import type { PluginRecord } from "../../model/receipt.ts";
import { carriedPlugins } from "../../pipeline/carried-plugins.ts";
import { pullAsGateway, switchOn } from "../../pipeline/plugins.ts";
import { wantedPlugins } from "../../pipeline/wanted-plugins.ts";
import type { Context } from "../context.ts";
import { required, texts, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { installPorts, pluginPorts } from "../wire/install-ports.ts";
import { openTools } from "../wire/tools.ts";
import { pluginFindings } from "../../pipeline/preflight.ts";
import { receiptToAmend } from "../wire/receipts.ts";
import { openSiteBundle } from "../wire/site-session.ts";
import { openTarget } from "../wire/registries.ts";

/** Switches plugins on by name, one after another, and watches the gateway; what harms it is switched off again. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const names = texts(flags, "name");
  if (names.length === 0)
    throw new Failure("USAGE", {
      what: "--name",
      wrong: "plugin-needed",
      wanted: `plugins list ${required(flags, "bundle")}`,
    });
  const { report } = context.reporter;
  await using session = await openSiteBundle(flags, context);
  const { sitePath, plan, bundle } = session;
  // A name that is none of its plugins is told with the nearest, before registry and cluster are asked.
  carriedPlugins(bundle, names);
  const site = {
    ...session.site,
    plugins: { ...session.site.plugins, enable: [...names], manifests: [], disable: [] },
  };
  await using target = await openTarget({ site, sitePath }, context);
  await using tools = await openTools(flags, site, context);
  const ports = await installPorts({ site, sitePath }, target, tools, context);
  const options = { skip: new Set<string>(), forceConflicts: false, signal: context.signal, report };
  const tell = (findings: readonly Finding[]): boolean => {
    reportFindings(findings, report);
    return hasErrors(findings);
  };
  // Modules are started and pulled before the cluster hears of them, which takes half a minute where a host is busy.
  report({ type: "phase", phase: "preflight", state: "started" });
  if (tell(await pluginFindings({ bundle, site, plan }, { ...ports, ...(await pluginPorts(site, context)) })))
    return ExitCode.findings;
  const named = plan.mapped.filter(({ item }) => names.includes(item.name));
  // Harbor may have cleaned up since the install; a plugin that is not there would keep new gateway pods closed.
  if (site.plugins.mode === "oci" && tell(await pullAsGateway(named, site, ports, options))) return ExitCode.findings;
  report({ type: "phase", phase: "preflight", state: "done" });
  report({ type: "phase", phase: "plugins", state: "started" });
  const wanted = wantedPlugins(plan, site, []).plugins.map(({ plugin }) => plugin);
  const amend = await receiptToAmend(site, tools.kubectl, context.signal);
  const keep = (record: PluginRecord) => amend({ plugins: [record] });
  const findings = await switchOn({ plugins: wanted, plan, site, keep }, ports, options);
  const harmed = tell(findings);
  report({ type: "phase", phase: "plugins", state: "done" });
  return harmed ? ExitCode.findings : ExitCode.done;
}
