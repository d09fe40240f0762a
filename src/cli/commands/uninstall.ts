import { reportFindings } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { hasErrors } from "../../model/finding.ts";
import { isBuiltInGroup } from "../../model/kubernetes.ts";
import { releasesOf } from "../../model/receipt.ts";
import { servedResources } from "../../pipeline/live-objects.ts";
import { withStanding } from "../../stages/receipt/standing-releases.ts";
import { deletedBy, planUninstall } from "../../stages/receipt/undo-plan.ts";
import { uninstall } from "../../stages/receipt/undo.ts";
import type { Context } from "../context.ts";
import { truth, type Flags } from "../define.ts";
import { ExitCode } from "../exit-code.ts";
import { agreed } from "../agreement.ts";
import { openTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";
import { oursOf, loadForUndo, releasePort, retire } from "../wire/receipts.ts";

/** Removes what the receipt lists, and nothing else. */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  const { all, latest: newest } = await loadForUndo(site, tools, context.signal);
  const { ours: latest, findings: left } = await oursOf(withStanding(newest, all), all, tools, context.signal);
  const { adopted = [] } = latest;
  if (adopted.length > 0)
    throw new Failure("RELEASE_ADOPTED", {
      releases: adopted.map(({ release }) => release).join(" "),
      namespace: site.cluster.namespace,
      charts: adopted.map(({ chart, version }) => `${chart} ${version}`).join(", "),
      revisions: adopted.map(({ revision }) => revision).join(", "),
    });
  reportFindings(left, report);
  const reach = { crds: truth(flags, "crds"), namespace: truth(flags, "namespace-too") };
  const command = "uninstall";
  if (!(await agreed(planUninstall(latest, reach), { command, flags, context }))) return ExitCode.done;
  report({ type: "phase", phase: "undo", state: "started" });
  const findings = await uninstall(latest, {
    cluster: tools.kubectl,
    release: releasePort(tools, { report }),
    ...reach,
    customKinds: () => servedResources((group) => !isBuiltInGroup(group), tools.kubectl, context.signal),
    signal: context.signal,
  });
  reportFindings(findings, report);
  report({ type: "phase", phase: "undo", state: "done" });
  await retire(all, site, tools, context.signal);
  const objects = deletedBy(latest, reach);
  const releases = releasesOf(latest).map(({ release }) => release);
  if (releases.length === 0) report({ type: "note", text: "withdrawn", facts: { objects } });
  else report({ type: "note", text: "uninstalled", facts: { release: releases.join(", "), objects } });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}
