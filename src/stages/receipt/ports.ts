import type { ApplyOptions, KubeObject, KubeQuery, KubeRef, PatchOperation } from "../../model/kubernetes.ts";
import type { Receipt } from "../../model/receipt.ts";

/** Where receipts are kept on the host; the newest number is the latest. */
export interface ReceiptPort {
  list(): Promise<readonly Receipt[]>;
  save(receipt: Receipt): Promise<void>;
}

/** What keeping and undoing needs of a cluster; kubectl fits. */
export interface ClusterPort {
  get<T>(ref: KubeRef, signal?: AbortSignal): Promise<T | undefined>;
  list<T>(query: KubeQuery): Promise<readonly T[]>;
  apply(documents: readonly KubeObject[], options: ApplyOptions): Promise<void>;
  patch(ref: KubeRef, operations: readonly PatchOperation[], options: PatchOptions): Promise<boolean>;
  delete(ref: KubeRef, signal?: AbortSignal): Promise<void>;
}

export interface PatchOptions {
  readonly fieldManager: string;
  readonly signal?: AbortSignal | undefined;
}

/** Helm as far as undoing needs it. */
export interface ReleasePort {
  rollback(revision: number, signal?: AbortSignal): Promise<void>;
  /** Uninstalling what is not there is success. */
  uninstall(signal?: AbortSignal): Promise<void>;
}
