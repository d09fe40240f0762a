import type { Patch, ValuesLayer } from "./relocation.ts";
import type { Values } from "./values.ts";

export interface HelmSource {
  /** A local .tgz. */
  readonly chart: string;
  readonly release: string;
  readonly namespace: string;
  readonly kubeVersion?: string | undefined;
  /** Later over earlier. They may hold secrets, so they travel in private files. */
  readonly values: readonly ValuesLayer[];
  /** What this program itself replaces after helm has rendered. */
  readonly patches?: readonly Patch[] | undefined;
  /** Objects of these names that no release owns become this one's. */
  readonly takesOwnership?: boolean | undefined;
}

export interface ReleaseInfo {
  readonly revision: number;
  /** deployed, failed, pending-install, pending-upgrade, uninstalling, … */
  readonly status: string;
  /** When the operation that it tells of began. */
  readonly updated: string;
}

/** Which chart a release is of. */
export interface ReleaseChart {
  readonly chart: string;
  readonly version: string;
  readonly revision: number;
  readonly status: string;
  /** Helm 4 goes on as the release was begun: what Helm 3 has made it merges itself, as that does. */
  readonly isServerSide: boolean;
}

/** What helm did to a release, one after another. */
export interface ReleaseRevision {
  readonly revision: number;
  readonly status: string;
  readonly updated: string;
  /** With its version: `higress-2.2.4`. */
  readonly chart: string;
}

/** A release of which the last operation did not go through. */
export interface StuckRelease {
  readonly release: string;
  readonly namespace: string;
  readonly status: string;
  /** The one to go back to. */
  readonly revision: number;
}

/** The newest revision that went through. A first one that did not is gone back to itself, which makes what lacks. */
export function revisionBack(history: readonly ReleaseRevision[]): number {
  const through = history.findLast(({ status }) => status === "deployed" || status === "superseded");
  return (through ?? history[0])?.revision ?? 1;
}

/** A release of any namespace. */
export interface ListedRelease {
  readonly release: string;
  readonly namespace: string;
  /** With its version: `higress-2.2.4`. */
  readonly chart: string;
}

export interface Waits {
  readonly signal?: AbortSignal | undefined;
}

export interface AtRevision extends Waits {
  /** @default the latest */
  readonly revision?: number | undefined;
}

export interface RollbackOptions extends Waits {
  /** As in `upgradeInstall`. @default false */
  readonly takeOver?: boolean | undefined;
}

export interface TemplateOptions extends Waits {
  readonly includeCrds: boolean;
  /** @default false */
  readonly anyCluster?: boolean | undefined;
}

export interface UpgradeOptions extends Waits {
  readonly timeoutSeconds: number;
  /** Fields that somebody else has set become ours. @default false */
  readonly takeOver?: boolean | undefined;
}

/** Helm for one cluster (or none: `template` asks nobody). */
export interface HelmPort {
  /**
   * Everything that the chart would make, hooks included, without asking a cluster. With `anyCluster` what it would make on
   * another cluster comes after it: where the APIs are that its templates ask for, and at an upgrade. An object may be
   * there twice then.
   */
  template(source: HelmSource, options: TemplateOptions): Promise<string>;
  /**
   * What the very install would make, Secrets too, since what they name is proved: nobody prints it. Unlike `template` it
   * sees what `lookup` finds in the cluster. No CRDs.
   */
  dryRun(source: HelmSource, options?: Waits): Promise<{ readonly manifest: string }>;
  /**
   * Installs or upgrades, and does not wait for pods: Helm 3 waits for a LoadBalancer address for ever, and a failed
   * wait says nothing about why. The timeout bounds hooks. `takeOver`: fields that somebody else set become ours;
   * Helm 3 never asks, and overwrites them.
   * @throws Failure RELEASE_BUSY when another operation has not ended
   */
  upgradeInstall(source: HelmSource, options: UpgradeOptions): Promise<ReleaseInfo>;
  /**
   * Whether its install is a server-side apply: Helm 4 does so unless Helm 3 began the release or its objects are taken
   * over. Then fields can conflict (of another release helm 4 refuses `--force-conflicts` itself), and a field that a kind
   * does not have is refused instead of dropped.
   */
  appliesOnServer(source: HelmSource, options?: Waits): Promise<boolean>;
  status(release: string, namespace: string, options?: Waits): Promise<ReleaseInfo | undefined>;
  metadata(release: string, namespace: string, options?: AtRevision): Promise<ReleaseChart | undefined>;
  /** What was given to it, without the chart's own; `undefined` when there is no such release or revision. */
  values(release: string, namespace: string, options?: AtRevision): Promise<Values | undefined>;
  /** Oldest first; empty when there is no such release. Helm keeps ten unless it is told otherwise. */
  history(release: string, namespace: string, options?: Waits): Promise<readonly ReleaseRevision[]>;
  /** Of all namespaces. */
  list(options?: Waits): Promise<readonly ListedRelease[]>;
  rollback(release: string, namespace: string, revision: number, options?: RollbackOptions): Promise<void>;
  uninstall(release: string, namespace: string, options?: Waits): Promise<void>;
  getManifest(release: string, namespace: string, options?: Waits): Promise<string>;
  getHooks(release: string, namespace: string, options?: Waits): Promise<string>;
}
