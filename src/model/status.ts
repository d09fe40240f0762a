import type { Receipt, ReleaseRef } from "./receipt.ts";
import type { ServiceAddress } from "./service-address.ts";

/** Who made what stands there, as far as receipts and helm tell. */
export type Installer =
  | {
      /** `removed`: a receipt tells of it, and helm has it no more. */
      readonly by: "receipt" | "removed";
      readonly number: number;
      readonly tool: string;
      readonly at: string;
      readonly bundle: string;
    }
  /** A helm release of which no receipt tells. */
  | { readonly by: "helm" }
  /** No helm release: what the workloads say of themselves. */
  | { readonly by: "manifests"; readonly managedBy: string }
  | { readonly by: "nobody" }
  /** No receipt tells, and helm's Secrets may not be read. */
  | { readonly by: "unknown" };

export interface ReleaseStatus extends ReleaseRef {
  /** Absent where helm has no such release. */
  readonly chart?: string | undefined;
  readonly version?: string | undefined;
  readonly revision?: number | undefined;
  readonly state?: string | undefined;
  /** Whether helm has it may not be seen. */
  readonly unread?: boolean | undefined;
  readonly installer: Installer;
  /** Whose revision it was before the first install over it: `rollback` goes back to it. */
  readonly takenOver?: string | undefined;
}

/** `none`: no pod of the gateway could be asked. */
export type GatewayHas = "all" | "some" | "missing" | "none";

export interface PluginStatus {
  readonly name: string;
  readonly object: string;
  readonly version?: string | undefined;
  readonly url: string;
  readonly digest?: string | undefined;
  readonly phase?: string | undefined;
  readonly priority?: number | undefined;
  readonly on: boolean;
  readonly gateway: GatewayHas;
}

export interface ReceiptStatus extends Pick<Receipt, "number" | "state" | "started" | "tool"> {
  readonly bundle: string;
}

export interface ReceiptsStatus {
  readonly folder: string;
  /** `configmap/higress-airgap-receipt` and which install it tells of. */
  readonly beside?: { readonly name: string; readonly number: number } | undefined;
  readonly all: readonly ReceiptStatus[];
}

export interface Newer {
  readonly kind: "chart" | "plugin";
  readonly name: string;
  readonly now: string;
  readonly carried: string;
}

/** What was asked for, and may not be read, or cannot be. */
export interface Unread {
  readonly what: StatusQuestion;
  readonly why: string;
}

export type StatusQuestion =
  "releases" | "receipts" | "receipt-beside" | "workloads" | "services" | "plugins" | "gateway";

export interface Status {
  readonly namespace: string;
  readonly prefix: string;
  readonly releases: readonly ReleaseStatus[];
  readonly gateway: readonly ServiceAddress[];
  readonly console: readonly ServiceAddress[];
  readonly plugins: readonly PluginStatus[];
  readonly receipts: ReceiptsStatus;
  readonly lastCheck?:
    { readonly at: string; readonly state: Receipt["phases"][number]["state"]; readonly number: number } | undefined;
  /** Absent without a bundle. */
  readonly newer?: readonly Newer[] | undefined;
  readonly unread: readonly Unread[];
}

/** A revision of helm's history, and what a receipt knows of it. */
export interface HistoryEntry {
  readonly release: string;
  /** Absent: an install that did not get as far as helm. */
  readonly revision?: number | undefined;
  readonly at: string;
  readonly state: string;
  readonly chart: string;
  readonly install?: ReceiptStatus | undefined;
  /** What is there now. */
  readonly current: boolean;
  /** `rollback --to` can go back to it: to the number of its install, and where it has none, to `owner`. */
  readonly reachable: boolean;
}
