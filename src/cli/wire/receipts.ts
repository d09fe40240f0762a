import { receiptDirectory } from "../../edge/files/receipts.ts";
import type { Report } from "../../model/event.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { Kubectl } from "../../edge/process/kubectl.ts";
import { Failure } from "../../model/failure.ts";
import type { HelmPort } from "../../model/helm.ts";
import { releasesOf, type Receipt, type ReleaseRecord } from "../../model/receipt.ts";
import type { Site } from "../../model/site.ts";
import { clusterIdentity } from "../../pipeline/install.ts";
import type { ReceiptsPort } from "../../pipeline/install-ports.ts";
import { keepReceipt, loadReceipts, receiptName } from "../../stages/receipt/keep.ts";
import type { ReleasePort } from "../../stages/receipt/ports.ts";
import { isOfTarget, standing, withMore, type Additions } from "../../stages/receipt/receipt.ts";
import { isReplaced } from "../../stages/receipt/standing-releases.ts";
import type { ClusterTools } from "./tools.ts";

/** Where receipts are, and the values that were used. */
export function stateDirectory({ stateDir }: Site): string {
  return stateDir ?? "higress-airgap.state";
}

export interface SiteReceipts extends ReceiptsPort {
  /** What is known of the site's release on this cluster: of others there may be receipts in the same folder. */
  ofRelease(): Promise<readonly Receipt[]>;
}

/**
 * Receipts on this host and beside the release. Until the namespace is there, the disk alone has them. Which cluster it is
 * is asked once: each time it takes two calls of kubectl.
 */
export function siteReceipts(site: Site, kubectl: Kubectl, signal: AbortSignal): SiteReceipts {
  const { namespace, release } = site.cluster;
  const disk = receiptDirectory(stateDirectory(site));
  let asked: ReturnType<typeof clusterIdentity> | undefined;
  const identityOnce = () => (asked ??= clusterIdentity(kubectl, signal));
  const load = async (): Promise<readonly Receipt[]> =>
    loadReceipts(namespace, { disk, cluster: kubectl, identity: await identityOnce(), signal });
  const namespaceIsOurs = ({ phases }: Receipt): boolean =>
    phases.some(({ phase, state }) => phase === "render" && state === "done");
  return {
    load,
    ofRelease: async () => {
      const target = { ...(await identityOnce()), namespace, release };
      return (await load()).filter((receipt) => isOfTarget(receipt, target));
    },
    save: (receipt) =>
      keepReceipt(receipt, { disk, signal, ...(namespaceIsOurs(receipt) ? { cluster: kubectl } : {}) }),
  };
}

/**
 * Writes what is done after an install into its receipt, so that rollback and uninstall know of it. Where there is none
 * (somebody else installed), there is nothing to undo it with either.
 */
export async function receiptToAmend(
  site: Site,
  kubectl: Kubectl,
  signal: AbortSignal,
): Promise<(more: Additions) => Promise<void>> {
  const receipts = siteReceipts(site, kubectl, signal);
  let receipt = standing(await receipts.ofRelease());
  return async (more) => {
    if (receipt === undefined) return;
    receipt = withMore(receipt, more);
    await receipts.save(receipt);
  };
}

export interface Receipts {
  readonly all: readonly Receipt[];
  readonly latest: Receipt;
  save(receipt: Receipt): Promise<void>;
}

/** The receipts of the site's release. @throws Failure RECEIPT_MISSING: without one, nothing is undone */
export async function loadForUndo(site: Site, tools: ClusterTools, signal: AbortSignal): Promise<Receipts> {
  const receipts = siteReceipts(site, tools.kubectl, signal);
  const all = await receipts.ofRelease();
  const latest = standing(all);
  const { release, namespace } = site.cluster;
  const where = all.length > 0 ? "undone" : stateDirectory(site);
  if (latest === undefined) throw new Failure("RECEIPT_MISSING", { release, namespace, where });
  return { all, latest, save: (receipt) => receipts.save(receipt) };
}

/** What helm still has of our installs; what somebody has put in the place of one since is not ours to take back, and told. */
export async function oursOf(
  receipt: Receipt,
  all: readonly Receipt[],
  { helm }: { readonly helm: Pick<HelmPort, "history"> },
  signal: AbortSignal,
): Promise<{ readonly ours: Receipt; readonly findings: readonly Finding[] }> {
  const releases: ReleaseRecord[] = [];
  const findings: Finding[] = [];
  for (const record of releasesOf(receipt)) {
    const history = await helm.history(record.release, record.namespace, { signal });
    const { release, namespace } = record;
    if (!isReplaced(record, all, history)) releases.push(record);
    else findings.push(finding("warning", "cluster.release-replaced", { release, namespace }));
  }
  return { ours: { ...receipt, releases }, findings };
}

/** After nothing of ours is left: on disk all receipts say undone, and beside the release there is none. */
export async function retire(
  all: readonly Receipt[],
  site: Site,
  { kubectl }: Pick<ClusterTools, "kubectl">,
  signal: AbortSignal,
): Promise<void> {
  const disk = receiptDirectory(stateDirectory(site));
  for (const receipt of all) await disk.save({ ...receipt, state: "undone" });
  await kubectl.delete({ resource: "configmaps", name: receiptName, namespace: site.cluster.namespace }, signal);
}

export function releasePort(
  { helm }: ClusterTools,
  { report, takeOver }: { readonly report: Report; readonly takeOver?: boolean },
): ReleasePort {
  const begin = (name: string): void => report({ type: "step", phase: "apply", name, done: 0, items: 1 });
  return {
    rollback: ({ release, namespace }, revision, signal) => {
      begin(`helm rollback ${release}`);
      return helm.rollback(release, namespace, revision, { takeOver, signal });
    },
    uninstall: async ({ release, namespace }, signal) => {
      begin(`helm uninstall ${release}`);
      if ((await helm.status(release, namespace, { signal })) !== undefined)
        await helm.uninstall(release, namespace, { signal });
    },
  };
}
