import type { Receipt, ReleaseRef } from "../../model/receipt.ts";

/** Where receipts are kept on the host; the newest number is the latest. */
export interface ReceiptPort {
  list(): Promise<readonly Receipt[]>;
  save(receipt: Receipt): Promise<void>;
}

/** Helm as far as undoing needs it. */
export interface ReleasePort {
  rollback(release: ReleaseRef, revision: number, signal?: AbortSignal): Promise<void>;
  /** Uninstalling what is not there is success. */
  uninstall(release: ReleaseRef, signal?: AbortSignal): Promise<void>;
}
