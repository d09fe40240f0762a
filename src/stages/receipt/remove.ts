import { isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { fieldManager, type KubeObject, type ObjectsPort } from "../../model/kubernetes.ts";
import type { ObjectRecord } from "../../model/receipt.ts";

/** Deletes the very object that the receipt tells of. One with another uid was made by somebody since: left, and named. */
export async function removeOurs(
  record: ObjectRecord,
  cluster: ObjectsPort,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const live = await cluster.get<KubeObject>(record, signal);
  if (live === undefined) return [];
  if (record.uid !== undefined && live.metadata.uid !== record.uid)
    return [
      finding("warning", "cluster.drift", { object: `${record.resource} ${record.name}`, fields: "metadata.uid" }),
    ];
  await cluster.delete(record, signal);
  return [];
}

/** Gives back the fields that we own in somebody else's object: server-side apply removes what we no longer say. */
export async function giveBack(record: ObjectRecord, cluster: ObjectsPort, signal?: AbortSignal): Promise<void> {
  const live = await cluster.get<KubeObject>(record, signal);
  if (live === undefined || (record.uid !== undefined && live.metadata.uid !== record.uid)) return;
  const { apiVersion, kind } = live;
  const metadata = { name: record.name, ...(record.namespace === undefined ? {} : { namespace: record.namespace }) };
  try {
    await cluster.apply([{ apiVersion, kind, metadata }], { fieldManager, force: true, signal });
  } catch (error) {
    // It went between asking and applying (helm removes in the background): nothing is left to give back.
    if (!isFailure(error, "KUBECTL_FAILED")) throw error;
    if ((await cluster.get(record, signal)) !== undefined) throw error;
  }
}
