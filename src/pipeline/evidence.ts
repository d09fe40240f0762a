import { blobPrefix, Entry } from "../model/bundle.ts";
import type { Event } from "../model/event.ts";
import type {
  BundleEvidence,
  ChangeEvidence,
  InstallEvidence,
  Outcome,
  PhaseEvidence,
  VerifyEvidence,
  UndoEvidence,
} from "../model/evidence.ts";
import { isFailure } from "../model/failure.ts";
import type { Finding } from "../model/finding.ts";
import { unknownCluster, type Receipt } from "../model/receipt.ts";
import { identityOf, renderedObjects } from "../model/rendered-object.ts";
import { redact } from "../model/sanitize.ts";
import type { Site } from "../model/site.ts";
import type { Bundle } from "../content/open-bundle.ts";
import type { PushResult } from "../stages/push/push.ts";
import { installBefore } from "../stages/receipt/receipt.ts";
import type { ProofResult, Rendered } from "./prove.ts";

/** What an install comes to while it runs; of one that fails, what there is until then. */
export interface EvidenceFacts {
  readonly bundle: Bundle;
  /** The key that the signature fits. */
  readonly signed: string | undefined;
  readonly site: Site;
  readonly verified: VerifyEvidence;
  readonly pushed: PushResult;
  readonly rendered: readonly Rendered[];
  readonly proof: ProofResult;
  /** Receipts of earlier installs. */
  readonly earlier: readonly Receipt[];
  readonly receipt: Receipt;
}

/** Another command of ours to the same site and cluster, ready to paste. */
export type Again = (...words: readonly string[]) => string;

interface EvidenceOptions {
  readonly tool: InstallEvidence["tool"];
  readonly now: () => Date;
  readonly again: Again;
}

/** Collects what `install --report` writes down. It is complete at any moment, so that a kill leaves evidence too. */
export class Evidence {
  readonly #options: EvidenceOptions;
  readonly #started: Date;
  readonly #findings = new Map<string, Finding>();
  #seen: Partial<EvidenceFacts> = {};
  #moved = 0;

  constructor(options: EvidenceOptions) {
    this.#options = options;
    this.#started = options.now();
  }

  see(part: Partial<EvidenceFacts>): void {
    this.#seen = { ...this.#seen, ...part };
  }

  watch(event: Event): void {
    if (event.type === "finding") this.#findings.set(JSON.stringify(event.finding), event.finding);
    if (event.type === "moved" && event.phase === "push") this.#moved += event.bytes;
  }

  document(outcome: Outcome, error?: unknown): InstallEvidence {
    const { bundle, signed, site, verified, receipt, earlier = [] } = this.#seen;
    const written = this.#options.now();
    const findings = [...this.#findings.values()];
    const { proof } = this.#seen;
    const document: InstallEvidence = {
      reportVersion: 1,
      outcome,
      tool: this.#options.tool,
      started: this.#started.toISOString(),
      written: written.toISOString(),
      seconds: secondsBetween(this.#started, written),
      ...(error === undefined ? {} : { failure: failureOf(error) }),
      ...(site === undefined ? {} : { target: targetOf(site, receipt) }),
      ...(bundle === undefined ? {} : { bundle: bundleOf(bundle, signed) }),
      ...(verified === undefined ? {} : { verified }),
      phases: receipt === undefined ? [] : phasesOf(receipt, this.#started),
      ...this.#pushed(),
      ...(proof && { proved: { images: proof.images, strings: proof.strings, findings: proof.findings.length } }),
      ...(receipt === undefined ? {} : { changed: changesOf(receipt, this.#seen.rendered ?? []) }),
      findings,
      undo: receipt === undefined ? [] : undoCommands(receipt, earlier, this.#options.again),
    };
    return withoutSecrets(document);
  }

  #pushed(): Pick<InstallEvidence, "pushed"> {
    const { pushed } = this.#seen;
    if (pushed === undefined && this.#moved === 0) return {};
    const { uploaded = this.#moved, mounted = 0, present = 0, tags = [] } = pushed ?? {};
    return { pushed: { uploaded, mounted, present, tags, ended: pushed !== undefined } };
  }
}

function failureOf(error: unknown): InstallEvidence["failure"] {
  if (isFailure(error)) return { code: error.code, side: error.side, facts: error.facts };
  return { code: "BUG", side: "host", facts: { what: error instanceof Error ? error.name : typeof error } };
}

function targetOf({ registry, cluster }: Site, receipt: Receipt | undefined): InstallEvidence["target"] {
  const { host, project } = registry;
  const { namespace, release } = cluster;
  const target = { registry: host, project, namespace, release };
  if (receipt === undefined) return target;
  const { server, url } = receipt.cluster;
  return { ...target, cluster: server === unknownCluster && url !== undefined ? url : server };
}

function bundleOf({ document, entries, source, sums, id }: Bundle, signed: string | undefined): BundleEvidence {
  const { name, version, created, platforms, delta, tool, items } = document;
  return {
    path: source.name,
    size: source.size,
    id,
    index: sums.get(Entry.index) ?? "",
    name,
    version,
    created,
    builtBy: `${tool.name} ${tool.version}`,
    platforms,
    items: items.length,
    blobs: [...entries.keys()].filter((entry) => entry.startsWith(blobPrefix)).length,
    signature: { present: entries.has(Entry.signature), ...(signed === undefined ? {} : { verifiedWith: signed }) },
    ...(delta === undefined ? {} : { delta: { base: delta.base, absentBlobs: delta.absent.length } }),
  };
}

function changesOf(receipt: Receipt, rendered: readonly Rendered[]): ChangeEvidence {
  const { number, helm, objects, crds, leftovers, plugins } = receipt;
  const release = rendered.flatMap(({ manifest }) => renderedObjects(manifest)).map(identityOf);
  return {
    receipt: number,
    ...(helm === undefined ? {} : { helm }),
    objects,
    crds,
    release: release.map(({ kind, name }) => `${kind}/${name}`),
    leftovers: leftovers.map(({ namespace, name, did, url }) => ({ namespace, name, did, url })),
    plugins,
  };
}

/** Phases of this run: a receipt that was gone on with has those of the earlier tries too. */
function phasesOf({ phases }: Receipt, since: Date): readonly PhaseEvidence[] {
  const mine = phases.filter(({ at }) => Date.parse(at) >= since.getTime());
  return mine.flatMap((record, index): readonly PhaseEvidence[] => {
    if (record.state !== "started") return record.state === "skipped" ? [record] : [];
    const end = mine.slice(index + 1).find(({ phase }) => phase === record.phase);
    if (end === undefined) return [record];
    return [{ ...record, state: end.state, seconds: secondsBetween(new Date(record.at), new Date(end.at)) }];
  });
}

function secondsBetween(from: Date, to: Date): number {
  return Math.round((to.getTime() - from.getTime()) / 100) / 10;
}

/** What was redacted where it entered is redacted once more: this file is passed on. */
function withoutSecrets<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, entry: unknown) =>
    typeof entry === "string" ? redact(entry) : entry,
  ) as T;
}

/** The commands that take back what this receipt tells of, ready to paste; none when nothing was changed. */
export function undoCommands(receipt: Receipt, earlier: readonly Receipt[], command: Again): readonly UndoEvidence[] {
  if (!changedAnything(receipt)) return [];
  const before = installBefore(earlier, receipt);
  const [adopted] = receipt.adopted ?? [];
  const made = ({ resource, did }: Receipt["objects"][number]): boolean =>
    resource === "namespaces" && did === "created";
  const all = [
    ...(receipt.crds.some(({ did }) => did === "created") ? ["--crds"] : []),
    ...(receipt.objects.some(made) ? ["--namespace-too"] : []),
  ];
  const uninstalls: readonly UndoEvidence[] = [
    { does: "uninstall", command: command("uninstall") },
    ...(all.length === 0 ? [] : [{ does: "uninstall-all" as const, command: command("uninstall", ...all) }]),
  ];
  const back = (to: string): UndoEvidence => ({ does: "rollback", command: command("rollback"), to });
  // What was there before us is not ours to uninstall.
  if (adopted !== undefined && before === undefined)
    return [back(`${adopted.chart} ${adopted.version} (helm ${adopted.revision})`)];
  return [
    ...(before === undefined ? [] : [back(`${before.bundle.name} ${before.bundle.version} (#${before.number})`)]),
    ...(adopted === undefined ? uninstalls : []),
  ];
}

function changedAnything({ objects, crds, leftovers, plugins, helm, phases }: Receipt): boolean {
  const records = objects.length + crds.length + leftovers.length + plugins.length;
  // Helm may have begun before its revision could be written down.
  return (
    records > 0 || helm !== undefined || phases.some(({ phase, state }) => phase === "apply" && state !== "skipped")
  );
}
