import { isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { ListedRelease, ReleaseChart } from "../../model/helm.ts";
import { isSameRelease, type ReleaseRef } from "../../model/receipt.ts";
import { joinPath, leavesOf, type Values } from "../../model/values.ts";
import type { SurveyPort } from "./ports.ts";

/** A release that will be installed. */
export interface WantedRelease extends ReleaseRef {
  /** Of the chart. */
  readonly name: string;
}

/** A release under a name that we want, of which no receipt tells: somebody else made it. */
export interface ForeignRelease extends ReleaseRef, ReleaseChart {
  /** What its owner set. */
  readonly values: Values;
}

export interface StandingReleases {
  readonly foreign: readonly ForeignRelease[];
  readonly findings: readonly Finding[];
}

export interface SurveyReleasesOptions {
  readonly helm: SurveyPort;
  /** Do our receipts tell of it? */
  readonly isOurs: (release: ReleaseRef) => boolean;
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
    const found = await unlessForbidden(() => foreignRelease(each, options), each);
    if ("code" in found) findings.push(found);
    else if (found.release !== undefined) foreign.push(found.release);
  }
  findings.push(...foreign.flatMap((each) => unusable(each, wanted)), ...(await elsewhere(wanted, options)));
  return { foreign, findings };
}

async function foreignRelease(
  { release, namespace }: WantedRelease,
  { helm, signal }: SurveyReleasesOptions,
): Promise<{ readonly release: ForeignRelease | undefined }> {
  const about = await helm.metadata(release, namespace, { signal });
  if (about === undefined) return { release: undefined };
  const values = await helm.values(release, namespace, { revision: about.revision, signal });
  return { release: { release, namespace, ...about, values: values ?? {} } };
}

/** Helm keeps releases in secrets: who may not read them cannot tell whose a release is, nor what its owner set. */
async function unlessForbidden<T extends object>(ask: () => Promise<T>, named: ReleaseRef): Promise<T | Finding> {
  try {
    return await ask();
  } catch (error) {
    if (!isFailure(error, "CLUSTER_FORBIDDEN")) throw error;
    const { release, namespace } = named;
    return finding("error", "cluster.release-unreadable", { release, namespace, why: error.facts.output });
  }
}

/** What no decision about values can make good. */
function unusable(found: ForeignRelease, wanted: readonly WantedRelease[]): readonly Finding[] {
  const { release, namespace, status } = found;
  const chart = wanted.find((each) => isSameRelease(each, found))?.name ?? "";
  return [
    ...(found.chart === chart
      ? []
      : [finding("error", "cluster.release-other-chart", { release, namespace, chart: found.chart, wanted: chart })]),
    // A revision that did not go through is none to go back to.
    ...(status === "deployed" ? [] : [finding("error", "cluster.release-pending", { release, status })]),
  ];
}

/** The same chart under another name: both would watch the same objects. */
async function elsewhere(
  wanted: readonly WantedRelease[],
  { helm, signal }: SurveyReleasesOptions,
): Promise<readonly Finding[]> {
  let all: readonly ListedRelease[];
  try {
    all = await helm.list({ signal });
  } catch (error) {
    if (!isFailure(error, "CLUSTER_FORBIDDEN")) throw error;
    return [finding("note", "cluster.not-asked", { question: "releases elsewhere", why: error.facts.output })];
  }
  return all
    .filter((found) => !wanted.some((each) => isSameRelease(each, found)))
    .filter(({ chart }) => wanted.some(({ name }) => chart.startsWith(`${name}-`)))
    .map(({ release, namespace, chart }) =>
      finding("warning", "cluster.release-elsewhere", { release, namespace, chart }),
    );
}

/** For somebody who has not decided yet. */
export function undecided({ release, namespace, chart, version, revision, values }: ForeignRelease): Finding {
  const paths = leavesOf(values).map(({ path }) => joinPath(path));
  const set = [...paths.slice(0, 20), ...(paths.length > 20 ? ["…"] : [])].join(", ");
  const facts = { release, namespace, chart: `${chart} ${version}`, revision, set };
  return finding("error", "cluster.release-foreign", facts);
}
