import { Failure } from "../../model/failure.ts";
import type { Receipt } from "../../model/receipt.ts";
import type { Site } from "../../model/site.ts";
import { standing } from "../../stages/receipt/receipt.ts";
import type { ReleasePort } from "../../stages/receipt/ports.ts";
import type { ClusterTools } from "./install-ports.ts";
import { receiptsOf, receiptsOfRelease, stateDirectory } from "./receipts.ts";

export interface Receipts {
  readonly all: readonly Receipt[];
  readonly latest: Receipt;
  save(receipt: Receipt): Promise<void>;
}

/** The receipts of the site's release. @throws Failure RECEIPT_MISSING: without one, nothing is undone */
export async function loadForUndo(site: Site, tools: ClusterTools, signal: AbortSignal): Promise<Receipts> {
  const port = receiptsOf(site, tools.kubectl, signal);
  const all = await receiptsOfRelease(site, port);
  const latest = standing(all);
  if (latest === undefined)
    throw new Failure("RECEIPT_MISSING", {
      release: site.cluster.release,
      where: stateDirectory(site),
    });
  return { all, latest, save: (receipt) => port.save(receipt) };
}

export function releaseOf({ cluster }: Site, { helm }: ClusterTools): ReleasePort {
  const { release, namespace } = cluster;
  return {
    rollback: (revision, signal) => helm.rollback(release, namespace, revision, { signal }),
    uninstall: async (signal) => {
      if ((await helm.status(release, namespace, { signal })) !== undefined)
        await helm.uninstall(release, namespace, { signal });
    },
  };
}
