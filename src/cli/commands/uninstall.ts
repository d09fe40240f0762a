import { reportFindings } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { planUninstall } from "../../stages/receipt/undo-plan.ts";
import { uninstall } from "../../stages/receipt/undo.ts";
import type { Context } from "../context.ts";
import { truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { agreed } from "../agreement.ts";
import { openTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";
import { loadForUndo, releasePort, retire } from "../wire/receipts.ts";

/** Removes what the receipt lists, and nothing else. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  const { all, latest } = await loadForUndo(site, tools, context.signal);
  const [adopted] = latest.adopted ?? [];
  if (adopted !== undefined) {
    const { release, namespace, chart, version, revision } = adopted;
    throw new Failure("RELEASE_ADOPTED", { release, namespace, chart: `${chart} ${version}`, revision });
  }
  const reach = { crds: truth(flags, "crds"), namespace: truth(flags, "namespace-too") };
  const command = "uninstall";
  if (!(await agreed(planUninstall(latest, reach), { command, flags, context }))) return ExitCode.done;
  const findings = await uninstall(latest, {
    cluster: tools.kubectl,
    release: releasePort(tools),
    ...reach,
    signal: context.signal,
  });
  reportFindings(findings, report);
  await retire(all, site, tools, context.signal);
  report({
    type: "note",
    text: "uninstalled",
    facts: { release: site.cluster.release, objects: latest.objects.length },
  });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
