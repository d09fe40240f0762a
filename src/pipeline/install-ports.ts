import type { Report } from "../model/event.ts";
import type { Finding } from "../model/finding.ts";
import type { HelmPort } from "../model/helm.ts";
import type { ClusterPort } from "../model/kubernetes.ts";
import type { AdoptedRecord, Receipt } from "../model/receipt.ts";
import type { Symptom } from "../model/symptom.ts";
import type { Site } from "../model/site.ts";
import type { PullSecret } from "../stages/apply/objects.ts";
import type { Bundle } from "../content/open-bundle.ts";
import type { AskUrl } from "../stages/check/check.ts";
import type { PullRepository } from "../stages/plugins/gateway-pull.ts";
import type { EvidenceFacts } from "./evidence.ts";
import type { InstallPlan } from "./install-plan.ts";
import type { RenderPorts } from "./prove.ts";
import type { PushPorts } from "./push.ts";

/** Receipts of this host and of the cluster. */
export interface ReceiptsPort {
  /** @throws Failure CONFIG_INVALID for one that cannot be read */
  load(): Promise<readonly Receipt[]>;
  save(receipt: Receipt): Promise<void>;
}

export interface InstallInput {
  readonly bundle: Bundle;
  readonly site: Site;
  readonly plan: InstallPlan;
}

export interface PullerPort extends AsyncDisposable {
  repository(name: string): PullRepository;
}

export interface UrlAsker extends AsyncDisposable {
  readonly ask: AskUrl;
}

/** What an install needs from outside. */
export interface InstallPorts extends RenderPorts, PushPorts {
  /** All findings of the whole bundle's bytes. */
  verify(bundle: Bundle): Promise<readonly Finding[]>;
  /** Every question to registry and cluster; nothing is changed. `pushes: false` where nothing will be pushed after it. */
  preflight(context: InstallInput, options: { readonly pushes: boolean }): Promise<readonly Finding[]>;
  /** The target as the account that the cluster pulls with. */
  asPuller(): Promise<PullerPort>;
  /** Asks for plugins' URLs as a gateway would. */
  urlAsker(): UrlAsker;
  readonly helm: HelmPort;
  readonly cluster: ClusterPort;
  readonly receipts: ReceiptsPort;
  readonly symptoms: readonly Symptom[];
  /** The user's WasmPlugin manifests. */
  readonly userPlugins: readonly string[];
  /** Asked for once the project is there: it may be a robot that is made for this. */
  pullSecret(): Promise<PullSecret | undefined>;
  readonly ca: string | undefined;
  readonly now: () => Date;
  readonly tool: string;
}

export interface InstallOptions {
  readonly skip: ReadonlySet<string>;
  readonly forceConflicts: boolean;
  /** Releases of others that this install takes over. */
  readonly adopted?: readonly AdoptedRecord[] | undefined;
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Told what each phase came to, so that of an install which fails there is something to show. */
  readonly evidence?: ((seen: Partial<EvidenceFacts>) => void) | undefined;
}
