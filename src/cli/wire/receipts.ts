import { receiptDirectory } from "../../edge/receipts/disk.ts";
import type { Kubectl } from "../../edge/process/kubectl.ts";
import type { Receipt } from "../../model/receipt.ts";
import type { Site } from "../../model/site.ts";
import type { ReceiptsPort } from "../../pipeline/install-ports.ts";
import { keepReceipt, loadReceipts } from "../../stages/receipt/keep.ts";

/** Receipts on this host and beside the release. Until the namespace is there, the disk alone has them. */
export function receiptsOf(site: Site, kubectl: Kubectl, signal: AbortSignal): ReceiptsPort {
  const disk = receiptDirectory(site.stateDir ?? "higress-airgap.state");
  const namespaceIsOurs = ({ phases }: Receipt): boolean =>
    phases.some(({ phase, state }) => phase === "render" && state === "done");
  return {
    load: () => loadReceipts(site.cluster.namespace, { disk, cluster: kubectl, signal }),
    save: (receipt) =>
      keepReceipt(receipt, { disk, signal, ...(namespaceIsOurs(receipt) ? { cluster: kubectl } : {}) }),
  };
}
