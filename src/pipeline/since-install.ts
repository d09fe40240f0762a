import { unlessForbidden } from "../model/failure.ts";
import { hasErrors, type Finding } from "../model/finding.ts";
import { isSameRelease, releasesOf, type Receipt, type ReleaseRef } from "../model/receipt.ts";
import { isReplaced, standingInstall } from "../stages/receipt/standing-releases.ts";
import { releaseChanged, type SurveyPort } from "../stages/survey/survey.ts";
import type { Existing } from "../model/choices.ts";
import type { PlannedChart } from "./install-plan.ts";

export interface SinceInstallPorts {
  readonly helm: SurveyPort;
  /** Asked only where something of others would be taken over or taken back, which the finding tells. */
  readonly decide: (about: Finding) => Promise<Existing>;
  readonly signal: AbortSignal;
}

/** Releases that receipts tell of, and that somebody has removed and made anew: they are of no install of ours. */
export async function replacedReleases(
  known: readonly Receipt[],
  { helm, signal }: Pick<SinceInstallPorts, "helm" | "signal">,
): Promise<readonly ReleaseRef[]> {
  const latest = standingInstall(known);
  const replaced: ReleaseRef[] = [];
  for (const record of latest === undefined ? [] : releasesOf(latest)) {
    const asked = await unlessForbidden(helm.history(record.release, record.namespace, { signal }));
    if ("answer" in asked && isReplaced(record, known, asked.answer)) replaced.push(record);
  }
  return replaced;
}

/** What others set with helm since our install. That goes only where it was decided so: it is written down nowhere of ours. */
export async function changesSince(
  charts: readonly PlannedChart[],
  known: readonly Receipt[],
  { helm, decide, signal }: SinceInstallPorts,
): Promise<{ readonly findings: readonly Finding[]; readonly refused: boolean }> {
  const latest = standingInstall(known);
  const findings: Finding[] = [];
  // An install that did not go through may have got to helm, and nobody can tell its revision from another's.
  if (latest?.state !== "done") return { findings, refused: false };
  for (const { release, namespace, revision } of releasesOf(latest)) {
    if (revision === 0 || !charts.some((chart) => isSameRelease(chart, { release, namespace }))) continue;
    const named = { release, namespace, revision, install: latest.number };
    const asked = await unlessForbidden(releaseChanged(named, { helm, signal }));
    const found = "answer" in asked ? asked.answer : undefined;
    if (found === undefined) continue;
    findings.push((await decide(found)) === "site-values" ? { ...found, severity: "warning" } : found);
  }
  return { findings, refused: hasErrors(findings) };
}
