import type { Report } from "../model/event.ts";
import type { Finding } from "../model/finding.ts";
import type { RelocationMap } from "../model/relocation.ts";
import type { Site } from "../model/site.ts";
import type { ClusterPort } from "../stages/apply/ports.ts";
import type { PullSecret } from "../stages/apply/objects.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import type { PushTarget } from "../stages/push/ports.ts";
import type { PushOptions } from "../stages/push/push.ts";
import type { Values } from "../stages/relocate/relocate.ts";
import type { RelocatedChart } from "./relocated.ts";

export interface ReleaseInfo {
  readonly revision: number;
  readonly status: string;
}

/** A chart with its archive on disk, where helm can read it. */
export interface ChartOnDisk {
  readonly chart: RelocatedChart;
  readonly path: string;
}

export interface HelmPort {
  template(source: HelmSource, options: { includeCrds: boolean; signal?: AbortSignal }): Promise<string>;
  dryRun(source: HelmSource, options?: { signal?: AbortSignal }): Promise<{ readonly manifest: string }>;
  upgradeInstall(source: HelmSource, options: { timeoutSeconds: number; signal?: AbortSignal }): Promise<ReleaseInfo>;
  status(release: string, namespace: string, options?: { signal?: AbortSignal }): Promise<ReleaseInfo | undefined>;
  getManifest(release: string, namespace: string, options?: { signal?: AbortSignal }): Promise<string>;
  getHooks(release: string, namespace: string, options?: { signal?: AbortSignal }): Promise<string>;
}

export interface HelmSource {
  readonly chart: string;
  readonly release: string;
  readonly namespace: string;
  readonly kubeVersion?: string | undefined;
  readonly values: readonly object[];
  readonly valuesFiles: readonly string[];
}

/** What an install needs from outside. */
export interface InstallPorts {
  /** All findings of the whole bundle's bytes. */
  verify(bundle: Bundle): Promise<readonly Finding[]>;
  preflight(input: PreflightInput): Promise<readonly Finding[]>;
  readonly target: PushTarget;
  readonly pushOptions: Partial<PushOptions>;
  readonly helm: HelmPort;
  readonly cluster: ClusterPort;
  /** Puts an entry of the bundle, verified, where a program can read it. */
  withFile<T>(name: string, bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T>;
  parseRelocation(text: string, file: string): RelocationMap;
  readonly userValues: readonly Values[];
  /** CRDs of a chart archive, as YAML. */
  chartCrds(archive: Uint8Array): Promise<readonly string[]>;
  readonly pullSecret: PullSecret | undefined;
  readonly ca: string | undefined;
}

export interface PreflightInput {
  readonly bundle: Bundle;
  readonly site: Site;
}

export interface InstallOptions {
  readonly skip: ReadonlySet<string>;
  readonly forceConflicts: boolean;
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
  readonly report: Report;
}
