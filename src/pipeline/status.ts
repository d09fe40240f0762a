import type { Service } from "kubernetes-types/core/v1.js";
import { isFailure } from "../model/failure.ts";
import type { HelmPort } from "../model/helm.ts";
import type { ClusterPort } from "../model/kubernetes.ts";
import { isSameRelease, releasesOf, type Receipt, type ReleaseRef } from "../model/receipt.ts";
import { selects, serviceAddress, type ServiceAddress } from "../model/service-address.ts";
import type {
  HistoryEntry,
  Installer,
  PluginStatus,
  ReceiptsStatus,
  ReleaseStatus,
  Status,
  StatusQuestion,
  Unread,
} from "../model/status.ts";
import { parseReceipt, receiptName } from "../stages/receipt/keep.ts";
import { standing } from "../stages/receipt/receipt.ts";
import { isReplaced, standingInstall } from "../stages/receipt/standing-releases.ts";
import { historyOf, receiptStatus } from "./history.ts";
import type { InstallPlan } from "./install-plan.ts";
import { deliveredBy, livePlugins, workloadWith, type FoundWorkload } from "./live-plugins.ts";

export interface StatusPorts {
  readonly helm: Pick<HelmPort, "metadata" | "history">;
  readonly cluster: Pick<ClusterPort, "get" | "list" | "exec">;
  /** Of the site's release on this cluster, by this host. */
  receipts(): Promise<readonly Receipt[]>;
}

export interface StatusInput {
  readonly namespace: string;
  readonly release: string;
  /** Where receipts are. */
  readonly folder: string;
  /** Of a bundle, where one was given. */
  readonly plan?: InstallPlan | undefined;
  readonly signal: AbortSignal;
}

/**
 * Looks at what stands there, one question after another, so that the first answer can be shown before the last one is
 * asked. What may not be read is kept in `unread`, and the other questions are asked all the same.
 */
export class StatusReader {
  readonly unread: Unread[] = [];
  readonly #input: StatusInput;
  readonly #ports: StatusPorts;
  #receipts: Promise<readonly Receipt[]> | undefined;
  #workloads: Promise<Workloads> | undefined;

  constructor(input: StatusInput, ports: StatusPorts) {
    this.#input = input;
    this.#ports = ports;
  }

  async releases(): Promise<readonly ReleaseStatus[]> {
    const [receipts, { gateway }] = await Promise.all([this.#ofRelease(), this.#found()]);
    const { namespace, release, plan } = this.#input;
    const told = standingInstall(receipts);
    const wanted: readonly ReleaseRef[] = [
      ...(told === undefined ? [] : releasesOf(told)),
      ...(plan?.charts ?? []),
      { namespace, release },
    ];
    const each = wanted.filter((one, at) => wanted.findIndex((other) => isSameRelease(one, other)) === at);
    return Promise.all(each.map((one) => this.#releaseOf(one, receipts, gateway)));
  }

  async #releaseOf(
    { release, namespace }: ReleaseRef,
    receipts: readonly Receipt[],
    gateway: FoundWorkload | undefined,
  ): Promise<ReleaseStatus> {
    const { signal } = this.#input;
    const unknown = { unread: true } as const;
    const about = await this.#ask("releases", () => this.#ports.helm.metadata(release, namespace, { signal }), unknown);
    const known = about !== undefined && "unread" in about ? undefined : about;
    const receipt = await this.#madeBy({ release, namespace }, known !== undefined, receipts);
    const adopted = receipt?.adopted?.find((one) => isSameRelease(one, { release, namespace }));
    const unread = about !== undefined && known === undefined;
    return {
      release,
      namespace,
      installer: installerOf(receipt, unread ? undefined : known !== undefined, gateway),
      ...(known === undefined
        ? { ...(unread ? { unread } : {}) }
        : { chart: known.chart, version: known.version, revision: known.revision, state: known.status }),
      ...(adopted === undefined ? {} : { takenOver: `${adopted.chart} ${adopted.version} (#${adopted.revision})` }),
    };
  }

  /** The install that made what stands there, or stood: one that ended before helm has made nothing of it. */
  async #madeBy(named: ReleaseRef, isThere: boolean, receipts: readonly Receipt[]): Promise<Receipt | undefined> {
    const isThis = (one: ReleaseRef): boolean => isSameRelease(one, named);
    const receipt = standing(receipts.filter((each) => releasesOf(each).some(isThis)));
    const record = receipt && releasesOf(receipt).find(isThis);
    if (record === undefined || !isThere) return receipt;
    const { signal } = this.#input;
    const ask = () => this.#ports.helm.history(named.release, named.namespace, { signal });
    // Somebody removed ours, and made another one of the same name.
    return isReplaced(record, receipts, await this.#ask("releases", ask, [])) ? undefined : receipt;
  }

  async addresses(): Promise<Pick<Status, "gateway" | "console">> {
    const { namespace, signal } = this.#input;
    const { gateway, console } = await this.#found();
    const list = () => this.#ports.cluster.list<Service>({ resource: "services", namespace, signal });
    const services = await this.#ask("services", list, []);
    const of = (workload: FoundWorkload | undefined): readonly ServiceAddress[] =>
      workload === undefined
        ? []
        : services.filter((service) => selects(service, workload.labels)).map((service) => serviceAddress(service));
    return { gateway: of(gateway), console: of(console) };
  }

  async plugins(): Promise<readonly PluginStatus[]> {
    const { namespace, plan, signal } = this.#input;
    const { cluster } = this.#ports;
    const { gateway } = await this.#found();
    const delivered = await this.#ask("gateway", () => deliveredBy(gateway, cluster, signal), new Map());
    if (delivered.size > 0 && [...delivered.values()].every((has) => has === undefined))
      this.unread.push({ what: "gateway", why: "pods/exec" });
    const options = { namespace, mapped: plan?.mapped, signal };
    return this.#ask("plugins", () => livePlugins(cluster, delivered, options), []);
  }

  async receipts(): Promise<Pick<Status, "receipts" | "lastCheck">> {
    const { folder } = this.#input;
    const all = await this.#ofRelease();
    const beside = await this.#ask("receipt-beside", () => this.#beside(), undefined);
    const checks = all.flatMap(({ number, phases }) =>
      phases.filter(({ phase }) => phase === "check").map(({ at, state }) => ({ at, state, number })),
    );
    const lastCheck = checks.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1);
    const receipts: ReceiptsStatus = {
      folder,
      all: all.toSorted((a, b) => a.number - b.number).map(receiptStatus),
      ...(beside === undefined ? {} : { beside }),
    };
    return { receipts, ...(lastCheck === undefined ? {} : { lastCheck }) };
  }

  async #beside(): Promise<ReceiptsStatus["beside"]> {
    const { namespace, signal } = this.#input;
    const ref = { resource: "configmaps", name: receiptName, namespace };
    const map = await this.#ports.cluster.get<{ data?: Record<string, string> }>(ref, signal);
    const text = map?.data?.["receipt.json"];
    const name = `configmap/${receiptName}`;
    return text === undefined ? undefined : { name, number: parseReceipt(text, name).number };
  }

  /** Helm's revisions, each with the install that made it, and the installs that did not get as far as helm. */
  async history(): Promise<readonly HistoryEntry[]> {
    const receipts = await this.#ofRelease();
    const current = standingInstall(receipts);
    const { namespace, release, signal } = this.#input;
    const begun = current === undefined ? [] : releasesOf(current);
    const wanted: readonly ReleaseRef[] = begun.length === 0 ? [{ namespace, release }] : begun;
    const entries: HistoryEntry[] = [];
    for (const named of wanted) {
      const ask = () => this.#ports.helm.history(named.release, named.namespace, { signal });
      entries.push(...historyOf(named, await this.#ask("releases", ask, []), receipts));
    }
    return entries;
  }

  #ofRelease(): Promise<readonly Receipt[]> {
    return (this.#receipts ??= this.#ask("receipts", () => this.#ports.receipts(), []));
  }

  #found(): Promise<Workloads> {
    const { namespace, signal } = this.#input;
    const find = (container: string) => workloadWith(container, this.#ports.cluster, { namespace, signal });
    const both = async (): Promise<Workloads> => ({
      gateway: await find("higress-gateway"),
      console: await find("higress-console"),
    });
    return (this.#workloads ??= this.#ask("workloads", both, { gateway: undefined, console: undefined }));
  }

  async #ask<T, O>(what: StatusQuestion, question: () => Promise<T>, otherwise: O): Promise<T | O> {
    try {
      return await question();
    } catch (error) {
      const why = reasonOf(error);
      if (why === undefined) throw error;
      if (!this.unread.some((one) => one.what === what && one.why === why)) this.unread.push({ what, why });
      return otherwise;
    }
  }
}

interface Workloads {
  readonly gateway: FoundWorkload | undefined;
  readonly console: FoundWorkload | undefined;
}

/** What keeps one question from being answered, and says nothing about the next one. */
function reasonOf(error: unknown): string | undefined {
  if (isFailure(error, "CLUSTER_FORBIDDEN")) return error.facts.output;
  if (isFailure(error, "CONFIG_INVALID")) return `${error.facts.file}: ${error.facts.problems}`;
  if (isFailure(error, "FILE_UNREADABLE")) return `${error.facts.path}: ${error.facts.reason}`;
  return undefined;
}

/** `released`: whether helm has it; `undefined` where helm could not be asked. */
function installerOf(
  receipt: Receipt | undefined,
  released: boolean | undefined,
  gateway: FoundWorkload | undefined,
): Installer {
  if (receipt !== undefined) {
    const { number, tool, started: at, bundle } = receipt;
    const by = released === false ? "removed" : "receipt";
    return { by, number, tool, at, bundle: `${bundle.name} ${bundle.version}` };
  }
  if (released === undefined) return { by: "unknown" };
  if (released) return { by: "helm" };
  return gateway === undefined ? { by: "nobody" } : { by: "manifests", managedBy: gateway.managedBy ?? "" };
}
