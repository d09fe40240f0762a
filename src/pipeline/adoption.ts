import type { Existing } from "../model/choices.ts";
import type { NoteEvent } from "../model/event.ts";
import type { ClusterPort, KubeObject } from "../model/kubernetes.ts";
import { unlessForbidden } from "../model/failure.ts";
import { finding, hasErrors, type Finding } from "../model/finding.ts";
import { isSameRelease, releasesOf, type AdoptedRecord, type Receipt } from "../model/receipt.ts";
import { typedObjects } from "../model/rendered-object.ts";
import type { ValuesLayer } from "../model/relocation.ts";
import { isValues, mergeValues, type ChartValues, type Values } from "../model/values.ts";
import { standing } from "../stages/receipt/receipt.ts";
import { compareOwnerValues } from "../stages/survey/owner-values.ts";
import { releaseDrift, surveyReleases, unadoptable, undecided, type ForeignRelease } from "../stages/survey/survey.ts";
import { changesOf, isUnreleased, unreleasedObjects, type UnreleasedObjects } from "../stages/survey/unreleased.ts";
import { loadTyped } from "../std/yaml.ts";
import { changesSince, replacedReleases, type SinceInstallPorts } from "./since-install.ts";
import { liveObjects } from "./live-objects.ts";
import { isTakeover } from "./release.ts";
import type { InstallPlan, OwnerLayer, PlannedChart } from "./install-plan.ts";

export interface AdoptionPorts extends SinceInstallPorts {
  readonly cluster: Pick<ClusterPort, "list">;
  /** What the chart would make, hooks included. */
  readonly render: (chart: PlannedChart) => Promise<readonly KubeObject[]>;
  /** Of the site's release on this cluster. */
  readonly receipts: readonly Receipt[];
  chartValues(chart: PlannedChart): Promise<ChartValues>;
  /** What the command says, where it says something: it counts for what an earlier install took over, too. */
  readonly named: Existing | undefined;
  /** The same plan with the owner's values below those of the site. */
  planOver(owner: readonly OwnerLayer[]): Promise<InstallPlan>;
  readonly signal: AbortSignal;
}

export interface Adoption {
  readonly plan: InstallPlan;
  /** What this install adopts, for its receipt. */
  readonly records: readonly AdoptedRecord[];
  readonly findings: readonly Finding[];
  /** What becomes of the owner's values, to be shown first. */
  readonly steps: readonly NoteEvent[];
  /** Nothing may be done: there is a release that is not ours, and no decision that lets us take it. */
  readonly refused: boolean;
}

/** What stands there already, and what is to become of it. Nothing is changed. */
export async function adopt(plan: InstallPlan, ports: AdoptionPorts): Promise<Adoption> {
  const { helm, signal } = ports;
  const known = ports.receipts.filter(({ state }) => state !== "undone");
  const latest = standing(known);
  const replaced = await replacedReleases(known, ports);
  const isOurs = (named: AdoptedRecord | PlannedChart): boolean =>
    known.some((receipt) => tellsOf(receipt, named)) && !replaced.some((each) => isSameRelease(each, named));
  const { foreign, findings } = await surveyReleases(plan.charts, {
    helm,
    isCutOff: (found) => latest !== undefined && isTakeover(found, latest),
    isOurs: (named) => plan.charts.some((chart) => isSameRelease(chart, named) && isOurs(chart)),
    unreleased: (named) =>
      unreleasedOf(
        plan.charts.find((chart) => isSameRelease(chart, named)),
        ports,
      ),
    signal,
  });
  const decisions: Decision[] = [];
  // What no decision can make good is told alone; else one after the other, since whoever sits at the terminal is asked.
  for (const found of hasErrors(findings) ? [] : foreign) decisions.push(await decideOn(found, ports));
  const owners = decisions.flatMap(({ owner }) => owner ?? []);
  const changed = await changesSince(plan.charts.filter(isOurs), known, ports);
  // Where an earlier install adopted a release and stopped before helm, the release is still foreign: it was decided on
  // again above, and the earlier decision is left out.
  const before = (latest?.adopted ?? []).filter((one) => !foreign.some((each) => isSameRelease(each, one)));
  const earlier = await earlierOwners(before, ports);
  const kept = [...earlier, ...owners].filter(isKept);
  const planned = kept.length === 0 ? plan : await ports.planOver(kept.map(layerOf));
  const decided = [...owners, ...earlier.filter(({ record }) => !before.includes(record))];
  const compared = await compareAll(planned, decided, ports);
  const adopted = foreign.filter((found) => owners.some(({ record }) => isSameRelease(record, found)));
  const charts = await Promise.all(planned.charts.map((chart) => withUnreleased(chart, adopted, ports)));
  return {
    plan: { ...planned, charts },
    records: decided.map(({ record }) => record),
    findings: [
      ...findings,
      ...decisions.flatMap((decision) => decision.findings),
      ...changed.findings,
      ...compared.findings,
    ],
    steps: [...charts.flatMap(ownershipStep), ...compared.steps],
    refused: foreign.length > owners.length || changed.refused,
  };
}

/** A release that is taken over, as it is written down, and what its owner had set. */
interface Owner {
  readonly record: AdoptedRecord;
  readonly values: Values;
}

interface Decision {
  readonly findings: readonly Finding[];
  /** `undefined` where the release stays its owner's. */
  readonly owner: Owner | undefined;
}

async function decideOn(found: ForeignRelease, ports: AdoptionPorts): Promise<Decision> {
  const drift = await driftOf(found, ports);
  const existing = await ports.decide(undecided(found));
  if (existing === "refuse") return { owner: undefined, findings: [...drift, undecided(found)] };
  const obstacle = unadoptable(found, existing);
  if (obstacle !== undefined) return { owner: undefined, findings: [...drift, obstacle] };
  const { release, namespace, revision, chart, version, values } = found;
  return {
    owner: { record: { release, namespace, revision, chart, version, values: existing }, values },
    findings: [...drift, finding("note", "cluster.release-adopted", { release, namespace, revision, existing })],
  };
}

function layerOf({ record: { release }, values }: Owner): OwnerLayer {
  return { release, values };
}

function isKept({ record }: Owner): boolean {
  return record.values === "keep-values";
}

/** What somebody changed by hand since helm was last there: its next upgrade takes that back. */
async function driftOf(
  { release, namespace, unreleased, revision }: ForeignRelease,
  { helm, cluster, signal }: AdoptionPorts,
): Promise<readonly Finding[]> {
  if (unreleased !== undefined) return [];
  const stored = typedObjects(await helm.getManifest(release, namespace, { signal }), release);
  const live = await unlessForbidden(liveObjects(stored, namespace, { cluster, signal }));
  if ("why" in live) return [finding("note", "cluster.not-asked", { question: "drift", why: live.why })];
  const changes = stored.flatMap((document) => changesOf(document, live.answer, namespace));
  return changes.length === 0 ? [] : [releaseDrift({ release, revision }, changes)];
}

async function unreleasedOf(
  chart: PlannedChart | undefined,
  { cluster, render, signal }: AdoptionPorts,
): Promise<UnreleasedObjects | undefined> {
  if (chart === undefined) return undefined;
  const { namespace } = chart;
  // Mostly there is nothing at all, and nothing needs to be rendered to see that.
  const resource = "deployments.apps,daemonsets.apps,statefulsets.apps";
  const standing = await unlessForbidden(cluster.list<KubeObject>({ resource, namespace, signal }));
  // Helm itself refuses what it does not own; preflight names the right that lacks.
  if ("why" in standing || !standing.answer.some(isUnreleased)) return undefined;
  // The last layer is the relocation's.
  const rendered = await render({ ...chart, values: chart.values.slice(0, -1), patches: [] });
  const live = await unlessForbidden(liveObjects([...rendered, configMap], namespace, { cluster, signal }));
  if ("why" in live) return undefined;
  return unreleasedObjects({ chart: chart.name, namespace, rendered, live: live.answer });
}

/** Where hgctl keeps its profile. */
const configMap: KubeObject = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "" } };

/** Asked again: the values that are kept decide which objects they are. */
async function withUnreleased(
  chart: PlannedChart,
  adopted: readonly ForeignRelease[],
  ports: AdoptionPorts,
): Promise<PlannedChart> {
  const found = adopted.find((each) => isSameRelease(each, chart))?.unreleased;
  if (found === undefined) return chart;
  return { ...chart, unreleased: (await unreleasedOf(chart, ports)) ?? found };
}

function ownershipStep({ release, unreleased }: PlannedChart): readonly NoteEvent[] {
  if (unreleased === undefined) return [];
  const { by, objects } = unreleased;
  return [{ type: "note", text: "plan-ownership", facts: { release, objects: objects.length, by } }];
}

/** Whether the install of this receipt got as far as helm for the release. If it stopped before, the release is not ours. */
function tellsOf(receipt: Receipt, named: PlannedChart | AdoptedRecord): boolean {
  if (receipt.releases === undefined && receipt.helm === undefined) return false;
  return releasesOf(receipt).some((each) => isSameRelease(each, named));
}

/**
 * Of what an earlier install took over, the owners' values that it keeps, and those of which the command now says
 * otherwise. Helm forgets old revisions; then what the release has now stands for it, since it was made of that.
 */
async function earlierOwners(
  before: readonly AdoptedRecord[],
  { helm, named, signal }: AdoptionPorts,
): Promise<readonly Owner[]> {
  const owners: Owner[] = [];
  for (const known of before) {
    const isSaid = named !== undefined && named !== "refuse" && named !== known.values;
    const record = isSaid ? { ...known, values: named } : known;
    if (!isSaid && record.values === "site-values") continue;
    const { release, namespace, revision } = record;
    const values =
      (await helm.values(release, namespace, { revision, signal })) ??
      (await helm.values(release, namespace, { signal }));
    if (values !== undefined) owners.push({ record, values });
  }
  return owners;
}

async function compareAll(
  plan: InstallPlan,
  owners: readonly Owner[],
  ports: AdoptionPorts,
): Promise<{ readonly findings: readonly Finding[]; readonly steps: readonly NoteEvent[] }> {
  const findings: Finding[] = [];
  const steps: NoteEvent[] = [];
  for (const { record, values } of owners) {
    const { release } = record;
    const chart = plan.charts.find((each) => isSameRelease(each, record));
    if (chart === undefined) continue;
    const keeps = record.values === "keep-values";
    const over = mergeValues(...layersOver(chart, keeps).map(asValues));
    const owner = compareOwnerValues(values, over, await ports.chartValues(chart));
    if (keeps && owner.unread.length > 0)
      findings.push(
        finding("warning", "cluster.values-unread", { release, chart: chart.version, paths: owner.unread.join(", ") }),
      );
    const list = (texts: readonly string[]): string => texts.join(", ");
    if (!keeps && owner.kept.length > 0)
      steps.push({ type: "note", text: "owner-dropped", facts: { release, values: list(owner.kept) } });
    if (keeps && owner.kept.length > 0)
      steps.push({ type: "note", text: "owner-kept", facts: { release, values: list(owner.kept) } });
    if (owner.overridden.length > 0)
      steps.push({ type: "note", text: "owner-overridden", facts: { release, values: list(owner.overridden) } });
  }
  return { findings, steps };
}

/** The layers that win over the owner's values. Where these are kept, they stand at `below`, right behind the bundle's own. */
function layersOver({ values, below }: PlannedChart, keeps: boolean): readonly ValuesLayer[] {
  return keeps ? values.slice(below + 1) : values.slice(below);
}

function asValues(layer: ValuesLayer): Values {
  if (typeof layer !== "string") return layer;
  return mergeValues(...loadTyped(layer).filter((document) => isValues(document)));
}
