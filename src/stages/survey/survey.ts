import type { Existing } from "../../model/choices.ts";
import { unlessForbidden } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { revisionBack, type HelmPort, type ReleaseChart } from "../../model/helm.ts";
import { isSameRelease, type ReleaseRef } from "../../model/receipt.ts";
import { joinPath, leavesOf, type Values } from "../../model/values.ts";
import { abridged } from "../../std/abridged.ts";
import { changedValues } from "./owner-values.ts";
import type { LiveField } from "./live-fields.ts";
import type { UnreleasedObjects } from "./unreleased.ts";

/** Helm as far as it is asked what stands in a cluster. */
export type SurveyPort = Pick<HelmPort, "metadata" | "values" | "history" | "list" | "getManifest">;

/** A release that will be installed. */
interface WantedRelease extends ReleaseRef {
  /** Of the chart. */
  readonly name: string;
}

/**
 * A release under a name that we want, of which no receipt tells: somebody else made it. Or what stands without one: taken
 * over, it becomes the first revision.
 */
export interface ForeignRelease extends ReleaseRef, ReleaseChart {
  /** What its owner set. */
  readonly values: Values;
  readonly unreleased?: UnreleasedObjects | undefined;
}

interface StandingReleases {
  readonly foreign: readonly ForeignRelease[];
  readonly findings: readonly Finding[];
}

interface SurveyReleasesOptions {
  readonly helm: SurveyPort;
  /** Do our receipts tell of it? */
  readonly isOurs: (release: ReleaseRef) => boolean;
  /** Is it what an install of ours was cut off in making? */
  readonly isCutOff: (found: ForeignRelease) => boolean;
  /** What stands of a chart without a release. */
  readonly unreleased: (wanted: WantedRelease) => Promise<UnreleasedObjects | undefined>;
  readonly signal: AbortSignal;
}

/** What stands where we are about to install; nothing is changed. */
export async function surveyReleases(
  wanted: readonly WantedRelease[],
  options: SurveyReleasesOptions,
): Promise<StandingReleases> {
  const foreign: ForeignRelease[] = [];
  const findings: Finding[] = [];
  for (const each of wanted.filter((release) => !options.isOurs(release))) {
    // Helm keeps releases in secrets: who may not read them cannot tell whose a release is, nor what its owner set.
    const found = await unlessForbidden(foreignRelease(each, options));
    const { release, namespace } = each;
    if ("why" in found) findings.push(finding("error", "cluster.release-unreadable", { release, namespace, ...found }));
    else if (found.answer !== undefined && !options.isCutOff(found.answer)) foreign.push(found.answer);
  }
  for (const each of foreign) findings.push(...(await unusable(each, wanted, options)));
  findings.push(...(await elsewhere(wanted, options)));
  return { foreign, findings };
}

async function foreignRelease(
  wanted: WantedRelease,
  { helm, unreleased, signal }: SurveyReleasesOptions,
): Promise<ForeignRelease | undefined> {
  const { release, namespace, name } = wanted;
  const about = await helm.metadata(release, namespace, { signal });
  if (about === undefined) {
    const found = await unreleased(wanted);
    if (found === undefined) return undefined;
    const { version, values = {} } = found;
    const first = { chart: name, version, revision: 1, status: "deployed", isServerSide: false };
    return { release, namespace, ...first, values, unreleased: found };
  }
  const values = await helm.values(release, namespace, { revision: about.revision, signal });
  return { release, namespace, ...about, values: values ?? {} };
}

/** What no decision about values can make good. */
async function unusable(
  found: ForeignRelease,
  wanted: readonly WantedRelease[],
  { helm, signal }: SurveyReleasesOptions,
): Promise<readonly Finding[]> {
  const { release, namespace, status } = found;
  const chart = wanted.find((each) => isSameRelease(each, found))?.name ?? "";
  // A revision that did not go through is none to go back to.
  const stuck =
    status === "deployed"
      ? []
      : [{ release, namespace, status, revision: revisionBack(await helm.history(release, namespace, { signal })) }];
  return [
    ...(found.chart === chart
      ? []
      : [finding("error", "cluster.release-other-chart", { release, namespace, chart: found.chart, wanted: chart })]),
    ...stuck.map((each) => finding("error", "cluster.release-pending", each)),
  ];
}

/** The same chart under another name: both would watch the same objects. */
async function elsewhere(
  wanted: readonly WantedRelease[],
  { helm, signal }: SurveyReleasesOptions,
): Promise<readonly Finding[]> {
  const all = await unlessForbidden(helm.list({ signal }));
  if ("why" in all) return [finding("note", "cluster.not-asked", { question: "releases elsewhere", ...all })];
  return all.answer
    .filter((found) => !wanted.some((each) => isSameRelease(each, found)))
    .filter(({ chart }) => wanted.some(({ name }) => chart.startsWith(`${name}-`)))
    .map(({ release, namespace, chart }) =>
      finding("warning", "cluster.release-elsewhere", { release, namespace, chart }),
    );
}

/** For somebody who has not decided yet. */
export function undecided(foreign: ForeignRelease): Finding {
  const { release, namespace, revision, values, unreleased } = foreign;
  const chart = `${foreign.chart} ${foreign.version}`;
  const set = abridged(leavesOf(values).map(({ path }) => joinPath(path)));
  if (unreleased === undefined)
    return finding("error", "cluster.release-foreign", { release, namespace, chart, revision, set });
  const { by, objects } = unreleased;
  return finding("error", "cluster.objects-foreign", { namespace, chart, by, count: objects.length, set });
}

interface InstalledRelease extends ReleaseRef {
  readonly install: number;
  /** The revision that the install made. */
  readonly revision: number;
}

/**
 * What somebody set with helm since an install of ours, which the next one would take back. A rollback of ours makes a
 * revision, too, with the values that it goes back to.
 */
export async function releaseChanged(
  { release, namespace, install, revision: made }: InstalledRelease,
  { helm, signal }: { readonly helm: SurveyPort; readonly signal: AbortSignal },
): Promise<Finding | undefined> {
  const about = await helm.metadata(release, namespace, { signal });
  if (about?.status !== "deployed" || about.revision <= made) return undefined;
  const { revision } = about;
  // Helm keeps ten revisions: of what it has forgotten nothing can be told.
  const then = await helm.values(release, namespace, { revision: made, signal });
  const now = await helm.values(release, namespace, { revision, signal });
  const changes = then === undefined || now === undefined ? [] : changedValues(then, now);
  if (changes.length === 0) return undefined;
  const facts = { release, namespace, install, revision, changes: abridged(changes) };
  return finding("error", "cluster.release-changed", facts);
}

/**
 * What keeps objects without a release from being taken over as it was decided: an engine that would take them back, or
 * values to keep that nobody wrote down.
 */
export function unadoptable(foreign: ForeignRelease, existing: Existing): Finding | undefined {
  const { namespace, unreleased } = foreign;
  if (unreleased === undefined || existing === "refuse") return undefined;
  const { by, values, changes } = unreleased;
  if (by === "Argo CD" || by === "Flux") return finding("error", "cluster.objects-managed", { namespace, by });
  if (existing !== "keep-values" || values !== undefined) return undefined;
  return finding("error", "cluster.values-unknown", { namespace, by, changes: listed(changes) });
}

export function releaseDrift(
  { release, revision }: Pick<ForeignRelease, "release" | "revision">,
  changes: readonly LiveField[],
): Finding {
  return finding("warning", "cluster.release-drift", { release, revision, changes: listed(changes) });
}

/** What stands there, and what would. */
function listed(changes: readonly LiveField[]): string {
  return abridged(changes.map(({ object, path, live, written }) => `${object} ${path}: ${live} → ${written}`));
}
