import { fieldManager, managedBy, type KubeObject, type ObjectsPort } from "../../model/kubernetes.ts";
import { Receipt, unknownCluster } from "../../model/receipt.ts";
import { canonicalJson } from "../../std/canonical-json.ts";
import type { ReceiptPort } from "./ports.ts";
import { isOfCluster, type ClusterIdentity } from "./receipt.ts";
import { parseCarried } from "../../model/carried.ts";

export const receiptName = "higress-airgap-receipt";

/** A ConfigMap may hold 1 MiB; the list of pushed tags is what grows, and stands on disk in full. */
const mapLimit = 900_000;

/** On disk first, which is where a resume looks; then beside the release, for whoever comes with another host. */
export async function keepReceipt(
  receipt: Receipt,
  { disk, cluster, signal }: { disk: ReceiptPort; cluster?: ObjectsPort | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  await disk.save(receipt);
  await cluster?.apply([receiptConfigMap(receipt)], { fieldManager, force: true, signal });
}

export function receiptConfigMap(receipt: Receipt): KubeObject {
  const whole = printReceipt(receipt);
  const text = whole.length <= mapLimit ? whole : printReceipt({ ...receipt, pushed: [] });
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: receiptName, namespace: receipt.cluster.namespace, labels: managedBy },
    data: { "receipt.json": text },
  };
}

interface LoadOptions {
  readonly disk: ReceiptPort;
  readonly cluster: ObjectsPort;
  /** Which cluster: one host may install into several. */
  readonly identity: ClusterIdentity;
  readonly signal?: AbortSignal | undefined;
}

/** The receipts of this host; where it has none of this cluster, with the one beside the release. */
export async function loadReceipts(
  namespace: string,
  { disk, cluster, identity, signal }: LoadOptions,
): Promise<readonly Receipt[]> {
  const receipts = await disk.list();
  if (receipts.some((receipt) => isOfCluster(receipt, identity))) return receipts;
  const ref = { resource: "configmaps", name: receiptName, namespace };
  const map = await cluster.get<{ data?: Record<string, string> }>(ref, signal);
  const text = map?.data?.["receipt.json"];
  if (text === undefined) return receipts;
  const beside = parseReceipt(text, `configmap/${receiptName}`);
  // A number is a file here: that of another cluster must not be replaced.
  const taken = receipts.some(({ number }) => number === beside.number);
  const number = taken ? Math.max(...receipts.map((each) => each.number)) + 1 : beside.number;
  return [...receipts, { ...beside, number, cluster: whereFound(beside.cluster, identity) }];
}

/** A receipt that does not say which cluster it is about was found in this one, so it is about this one. */
function whereFound(cluster: Receipt["cluster"], identity: ClusterIdentity): Receipt["cluster"] {
  return cluster.server === unknownCluster && cluster.url === undefined ? { ...cluster, ...identity } : cluster;
}

export function printReceipt(receipt: Receipt): string {
  return canonicalJson(receipt);
}

/** @throws Failure CONFIG_INVALID when it is no receipt: nothing is undone by a text that somebody made up */
export function parseReceipt(text: string, file: string): Receipt {
  return parseCarried(text, file, Receipt);
}
