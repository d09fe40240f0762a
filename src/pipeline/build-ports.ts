import type { Fetcher } from "../content/store.ts";
import type { StartHash } from "../content/stream-hash.ts";
import type { Descriptor } from "../model/descriptor.ts";
import type { Report } from "../model/event.ts";
import type { Finding } from "../model/finding.ts";
import type { Lock, LockFile } from "../model/lock.ts";
import type { Reference } from "../model/reference.ts";
import type { Patch, RelocationMap, ValuesLayer } from "../model/relocation.ts";
import type { BundleSpec, ChartSpec, PluginSpec } from "../model/spec.ts";
import type { ChartValues } from "../model/values.ts";
import type { Json } from "../std/canonical-json.ts";
import type { Inventory } from "../stages/bundle/delta.ts";
import type { BundleOutput, LargeFile, SmallFile } from "../stages/bundle/ports.ts";
import type { RepairRequest } from "../stages/repair/request.ts";
import type { RehearsalPorts } from "./rehearsal.ts";
import type { ExaminePlugin, SourceRepository } from "../stages/resolve/ports.ts";

/** A chart that was fetched and looked into. */
export interface LoadedChart {
  readonly spec: ChartSpec;
  readonly archive: Uint8Array;
  readonly crds: readonly { readonly name: string; readonly text: string }[];
  readonly name: string;
  readonly version: string;
  readonly metadata: Json;
  readonly origin: string;
  /** Newest time inside the archive, in seconds: the clock of the bundle, since no machine's clock may be in it. */
  readonly newest: number;
  readonly relocation: RelocationMap;
  readonly relocationText: string;
  /** Of the spec, as they are written; its values are laid over them. */
  readonly valuesFiles: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  /** What the chart itself says of its values. */
  readonly read: ChartValues;
}

export interface RenderRequest {
  readonly chart: LoadedChart;
  readonly kubeVersion: string;
  /** Laid over the chart's own values, later ones win. */
  readonly values: readonly ValuesLayer[];
  /** Applied to what came out. */
  readonly patches?: readonly Patch[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadChartOptions {
  /** The archive that a lock names: of a registry it is then asked for by digest. Whether it is that one, the caller checks. */
  readonly locked?: LockFile | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a build needs from outside. */
export interface BuildPorts {
  loadChart(spec: ChartSpec, options: LoadChartOptions): Promise<LoadedChart>;
  render(request: RenderRequest): Promise<string>;
  repository(reference: Reference): Promise<SourceRepository>;
  readonly examine: ExaminePlugin;
  /** Plugins that the console image can name; an empty list when the spec does not ask for it. */
  discoverPlugins(console: { readonly content: Fetcher; readonly root: Descriptor }): Promise<readonly PluginSpec[]>;
  /** For what an install would find. */
  readonly rehearsal: RehearsalPorts;
  readonly output: BundleOutput;
  /** Where what arrives is hashed; awaited when something is about to. @default on this thread */
  readonly hashing?: Promise<StartHash> | undefined;
}

export interface BuildInput {
  readonly spec: BundleSpec;
  /** What the user wrote beside it and nobody can read: told with all that cannot be had. */
  readonly unreadable?: readonly Finding[] | undefined;
  /** The spec as the user wrote it, carried for people. */
  readonly specText: string;
  readonly crds: readonly SmallFile[];
  readonly manifests: readonly SmallFile[];
  /** README.txt, install.sh, licences. */
  readonly extras: readonly SmallFile[];
  readonly tools: readonly LargeFile[];
  readonly tool: { readonly name: string; readonly version: string };
  /** Seconds; SOURCE_DATE_EPOCH. */
  readonly epoch?: number | undefined;
  readonly sign?: ((sums: Uint8Array) => Uint8Array) | undefined;
  readonly isSigned?: ((sums: Uint8Array, signature: Uint8Array) => boolean) | undefined;
  /** Reproduces this: no tag is asked for, and any other bytes are refused. */
  readonly lock?: Lock | undefined;
  /** Leaves out what the other side has. */
  readonly since?: Inventory | undefined;
  /** Leaves out all but what the other side lacks. */
  readonly only?: RepairRequest | undefined;
}

export interface BuildOptions {
  readonly allowMissing?: boolean | undefined;
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report: Report;
}
