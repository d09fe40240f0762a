import { hasErrors } from "../../model/finding.ts";
import { planUninstall } from "../../stages/receipt/undo-plan.ts";
import { uninstall } from "../../stages/receipt/undo.ts";
import { receiptDirectory } from "../../edge/files/receipts.ts";
import type { Context } from "../context.ts";
import { truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { agreed } from "../agreement.ts";
import { openTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";
import { stateDirectory, loadForUndo, releasePort } from "../wire/receipts.ts";

/** Removes what the receipt lists, and nothing else. */
export async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  const { all, latest } = await loadForUndo(site, tools, context.signal);
  const reach = { crds: truth(flags, "crds"), namespace: truth(flags, "namespace-too") };
  const command = "uninstall";
  if (!(await agreed(planUninstall(latest, reach), { command, flags, context }))) return ExitCode.done;
  const findings = await uninstall(latest, {
    cluster: tools.kubectl,
    release: releasePort(tools),
    ...reach,
    signal: context.signal,
  });
  for (const found of findings) report({ type: "finding", finding: found });
  // On disk only: the ConfigMap beside the release went with the rest.
  const disk = receiptDirectory(stateDirectory(site));
  for (const receipt of all) await disk.save({ ...receipt, state: "undone" });
  report({
    type: "note",
    text: "uninstalled",
    facts: { release: site.cluster.release, objects: latest.objects.length },
  });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
