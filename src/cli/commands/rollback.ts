import { reportFindings } from "../../model/event.ts";
import { workloadsOf } from "../../pipeline/install.ts";
import { planRollback } from "../../stages/receipt/undo-plan.ts";
import { rollback } from "../../stages/receipt/undo.ts";
import { installBefore, installsSince, installNumbered, notBefore } from "../../stages/receipt/receipt.ts";
import { adoptedBefore, isReplaced, withOwners, withStanding } from "../../stages/receipt/standing-releases.ts";
import type { WorkloadRef } from "../../stages/rollout/progress.ts";
import { watchRollout } from "../../stages/rollout/watch.ts";
import { hasErrors } from "../../model/finding.ts";
import { Failure } from "../../model/failure.ts";
import { releasesOf, type Receipt, type ReleaseRecord } from "../../model/receipt.ts";
import type { Site } from "../../model/site.ts";
import type { Context } from "../context.ts";
import { text, truth, wholeNumber, type Flags } from "../define.ts";
import { agreed } from "../agreement.ts";
import { ExitCode } from "../exit-code.ts";
import { openTools, type ClusterTools } from "../wire/tools.ts";
import { openSite } from "../wire/site-session.ts";
import { oursOf, loadForUndo, releasePort, retire } from "../wire/receipts.ts";

/**
 * Goes back to the install before: release, plugins, and none of the objects that only the latest one made. Before the
 * first install over somebody else's release there was that release: then back to it.
 */
export default async function run(flags: Flags, context: Context): Promise<ExitCode> {
  const { report } = context.reporter;
  const to = text(flags, "to") === owner ? owner : wholeNumber(flags, "to", 1, 9999);
  const { site } = await openSite(flags, context);
  await using tools = await openTools(flags, site, context);
  const receipts = await loadForUndo(site, tools, context.signal);
  const { latest, all } = receipts;
  const install = to === owner ? undefined : installWanted(all, latest, to);
  const standing = withStanding(latest, all);
  const { ours: current, findings: left } = await oursOf(standing, all, tools, context.signal);
  reportFindings(left, report);
  const before =
    install === undefined
      ? (adoptedBefore(standing) ?? notBefore(all, latest, owner))
      : withOwners(withStanding(install, all), standing);
  await areKept(releasesOf(before), all, tools, context.signal);
  if (!(await agreed(planRollback(current, before), { command: "rollback", flags, context }))) return ExitCode.done;
  report({ type: "phase", phase: "undo", state: "started" });
  const findings = await rollback(current, before, {
    cluster: tools.kubectl,
    release: releasePort(tools, { report, takeOver: truth(flags, "force-conflicts") }),
    signal: context.signal,
  });
  reportFindings(findings, report);
  report({ type: "phase", phase: "undo", state: "done" });
  if (install === undefined) {
    await retire(all, site, tools, context.signal);
    for (const { release, chart, version, revision } of latest.adopted ?? [])
      report({
        type: "note",
        text: "rolled-back-to-owner",
        facts: { release, chart: `${chart} ${version}`, revision },
      });
  } else {
    for (const undone of installsSince(all, install)) await receipts.save({ ...undone, state: "undone" });
    // Beside the release stands the one that tells what is there now.
    await receipts.save(install);
    const facts = { bundle: `${install.bundle.name} ${install.bundle.version}`, number: install.number };
    report({ type: "note", text: "rolled-back", facts });
  }
  await waitForPods(releasesOf(before), { site, tools, context });
  return hasErrors(findings) ? ExitCode.findings : ExitCode.done;
}

/** What somebody else had installed before us, in place of the number of an install. */
const owner = "owner";

function installWanted(all: readonly Receipt[], latest: Receipt, to: number | undefined): Receipt | undefined {
  return to === undefined ? installBefore(all, latest) : installNumbered(all, latest, to);
}

/** Before anything is taken back: helm keeps ten revisions, unless it is told otherwise. @throws Failure REVISION_GONE */
async function areKept(
  releases: readonly ReleaseRecord[],
  all: readonly Receipt[],
  { helm }: Pick<ClusterTools, "helm">,
  signal: AbortSignal,
): Promise<void> {
  for (const record of releases) {
    const { release, namespace, revision } = record;
    if (revision === 0) continue;
    const kept = await helm.history(release, namespace, { signal });
    if (kept.some((each) => each.revision === revision) && !isReplaced(record, all, kept)) continue;
    throw new Failure("REVISION_GONE", { release, revision });
  }
}

interface Reached {
  readonly site: Site;
  readonly tools: ClusterTools;
  readonly context: Context;
}

/** Whether the images of an older revision can still be pulled shows here. @throws Failure ROLLOUT_STUCK */
async function waitForPods(releases: readonly ReleaseRecord[], { site, tools, context }: Reached): Promise<void> {
  const { report } = context.reporter;
  const { signal } = context;
  const { namespace, rolloutSeconds: seconds } = site.cluster;
  const workloads: WorkloadRef[] = [];
  for (const { release, namespace: of, revision } of releases)
    if (revision > 0) workloads.push(...workloadsOf(await tools.helm.getManifest(release, of, { signal })));
  await watchRollout(workloads, tools.kubectl, { namespace, seconds, report, signal });
}
