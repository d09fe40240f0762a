import { compare as compareVersions, valid } from "semver";
import type { ReleaseRevision } from "../model/helm.ts";
import { isSameRelease, releasesOf, type Receipt, type ReleaseRef } from "../model/receipt.ts";
import type { HistoryEntry, Newer, PluginStatus, ReceiptStatus, ReleaseStatus } from "../model/status.ts";
import { standing } from "../stages/receipt/receipt.ts";
import { isReplaced } from "../stages/receipt/standing-releases.ts";
import type { InstallPlan } from "./install-plan.ts";

export function receiptStatus({ number, state, started, tool, bundle }: Receipt): ReceiptStatus {
  return { number, state, started, tool, bundle: `${bundle.name} ${bundle.version}` };
}

/** Helm's revisions, each with the install that made it, and the installs of which helm has no revision. */
export function historyOf(
  named: ReleaseRef,
  revisions: readonly ReleaseRevision[],
  receipts: readonly Receipt[],
): readonly HistoryEntry[] {
  const current = standing(receipts);
  const adopted = current?.adopted ?? [];
  const { release } = named;
  const recordOf = (receipt: Receipt) => releasesOf(receipt).find((one) => isSameRelease(one, named));
  const made = (receipt: Receipt, revision: number): boolean => {
    const record = recordOf(receipt);
    return record?.revision === revision && !isReplaced(record, receipts, revisions);
  };
  const known = revisions.map(({ revision, status, updated, chart }): HistoryEntry => {
    const receipt = receipts.find((each) => made(each, revision));
    const isOwners = adopted.some((one) => isSameRelease(one, named) && one.revision === revision);
    const reachable = isOwners || (receipt !== undefined && receipt !== current && receipt.state === "done");
    const entry = { release, revision, at: updated, state: status, chart, current: status === "deployed", reachable };
    return receipt === undefined ? entry : { ...entry, install: receiptStatus(receipt) };
  });
  const without = receipts.filter((receipt) => !revisions.some(({ revision }) => made(receipt, revision)));
  const others = without.map((receipt): HistoryEntry => {
    const { started: at, state } = receipt;
    const revision = recordOf(receipt)?.revision ?? 0;
    const entry = { release, at, state, chart: "", current: false, reachable: false, install: receiptStatus(receipt) };
    return revision === 0 ? entry : { ...entry, revision };
  });
  return [...known, ...others].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** What the bundle would bring: charts of a later version, and other versions of plugins that are there. */
export function newerIn(
  plan: InstallPlan,
  releases: readonly ReleaseStatus[],
  plugins: readonly PluginStatus[],
): readonly Newer[] {
  const charts = plan.charts.flatMap(({ name, version: carried, ...chart }): readonly Newer[] => {
    const now = releases.find((one) => isSameRelease(one, chart))?.version;
    return now !== undefined && isLater(carried, now) ? [{ kind: "chart", name, now, carried }] : [];
  });
  const carried = new Map(
    plan.mapped.flatMap(({ item }) => (item.kind === "plugin" ? [[item.name, item] as const] : [])),
  );
  const modules = plugins.flatMap(({ name, version: now = "" }): readonly Newer[] => {
    const version = carried.get(name)?.version;
    return version !== undefined && isLater(version, now) ? [{ kind: "plugin", name, now, carried: version }] : [];
  });
  return [...charts, ...modules];
}

/** Versions that no rule orders count as later when they are others. */
function isLater(version: string, than: string): boolean {
  if (valid(version, true) === null || valid(than, true) === null) return version !== than;
  return compareVersions(version, than, true) > 0;
}
