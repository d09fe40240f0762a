import type { Phase } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import {
  isSameRelease,
  unknownCluster,
  type AdoptedRecord,
  type LeftoverRecord,
  type ObjectRecord,
  type PluginRecord,
  type Receipt,
  type ReleaseRef,
} from "../../model/receipt.ts";

export interface InstallFacts {
  readonly tool: string;
  readonly bundle: Receipt["bundle"];
  readonly cluster: Receipt["cluster"];
  /** sha256 of the values that helm will be given. */
  readonly values: string;
  readonly now: Date;
  /** Releases of others that this install takes over. */
  readonly adopted?: readonly AdoptedRecord[] | undefined;
}

/**
 * The receipt that an install goes on with: the newest one when it was interrupted and is about the very same bundle,
 * cluster and values; else a new one, which takes over what is there to undo.
 */
export function beginReceipt(earlier: readonly Receipt[], facts: InstallFacts): Receipt {
  const mine = earlier.filter((receipt) => isOfTarget(receipt, facts.cluster));
  const latest = standing(mine);
  const { tool, bundle, cluster, values } = facts;
  if (latest !== undefined && isOpen(latest) && isSame(latest.bundle, bundle) && latest.values === values)
    return { ...latest, state: "running", ...adoptedBy(latest, facts) };
  const kept = latest ?? nothing;
  return {
    receiptVersion: 1,
    number: Math.max(0, ...earlier.map(({ number }) => number)) + 1,
    tool,
    state: "running",
    started: facts.now.toISOString(),
    bundle,
    cluster,
    values,
    phases: [],
    objects: kept.objects,
    crds: kept.crds,
    leftovers: kept.leftovers,
    plugins: kept.plugins,
    // After an install that did not go through, the revisions to go back to are still those from before it.
    ...(latest?.releases !== undefined && isOpen(latest) ? { releases: latest.releases } : {}),
    ...adoptedBy(latest, facts),
    pushed: [],
  };
}

/** What was adopted once is so until it is given back, at the revision that it had before us. */
function adoptedBy(latest: Receipt | undefined, { adopted = [] }: InstallFacts): Pick<Receipt, "adopted"> {
  const known = latest?.adopted ?? [];
  const all = [...adopted, ...known.filter((each) => !adopted.some((one) => isSameRelease(one, each)))];
  return all.length === 0 ? {} : { adopted: all };
}

const nothing: Pick<Receipt, "objects" | "crds" | "leftovers" | "plugins"> = {
  objects: [],
  crds: [],
  leftovers: [],
  plugins: [],
};

/** What is there now: a rollback undoes the newest receipt, and an uninstall all of them. */
export function standing(receipts: readonly Receipt[]): Receipt | undefined {
  return newest(receipts.filter(({ state }) => state !== "undone"));
}

function newest(receipts: readonly Receipt[]): Receipt | undefined {
  return receipts.toSorted((a, b) => b.number - a.number)[0];
}

/** The newest install that went through before `receipt`. */
export function installBefore(receipts: readonly Receipt[], receipt: Receipt): Receipt | undefined {
  return installsBefore(receipts, receipt).at(-1);
}

/** Installs that went through before `receipt`, oldest first: those that can be gone back to. */
function installsBefore(receipts: readonly Receipt[], receipt: Receipt): readonly Receipt[] {
  return receipts
    .filter((each) => each.number < receipt.number && each.state === "done" && isOfTarget(each, receipt.cluster))
    .toSorted((a, b) => a.number - b.number);
}

/** @throws Failure USAGE naming those that can be gone back to, RECEIPT_MISSING where there is none */
export function installNumbered(receipts: readonly Receipt[], receipt: Receipt, number: number): Receipt {
  const found = installsBefore(receipts, receipt).find((each) => each.number === number);
  return found ?? notBefore(receipts, receipt, String(number));
}

/** @throws Failure USAGE naming what can be gone back to, RECEIPT_MISSING where there is nothing */
export function notBefore(receipts: readonly Receipt[], receipt: Receipt, to: string): never {
  const known = installsBefore(receipts, receipt).map(({ number }) => String(number));
  const all = [...known, ...(receipt.adopted === undefined ? [] : ["owner"])];
  if (all.length > 0) throw new Failure("USAGE", { what: `--to ${to}`, wrong: "allowed", wanted: all.join(", ") });
  // The sentence could name nothing after its colon.
  const { release, namespace } = receipt.cluster;
  throw new Failure("RECEIPT_MISSING", { release, namespace, where: "before" });
}

/** What is undone when `before` is what stands again. */
export function installsSince(receipts: readonly Receipt[], before: Receipt): readonly Receipt[] {
  return receipts.filter(
    ({ number, state, ...each }) => number > before.number && state !== "undone" && isOfTarget(before, each.cluster),
  );
}

/** An install that is tried again goes on with its receipt: a dozen records for each try. */
const mostPhases = 200;

/**
 * Notes a phase. Above `mostPhases` the oldest record goes that says nothing which a later one does not say again: what was
 * reached at any time, and when last, stays.
 */
export function withPhase(
  receipt: Receipt,
  phase: Phase,
  state: "started" | "done" | "skipped" | "failed",
  now: Date,
): Receipt {
  const phases = [...receipt.phases, { phase, state, at: now.toISOString() }];
  while (phases.length > mostPhases) {
    const repeated = phases.findIndex((one, at) =>
      phases.some((other, later) => later > at && other.phase === one.phase && other.state === one.state),
    );
    if (repeated === -1) break;
    phases.splice(repeated, 1);
  }
  return { ...receipt, phases };
}

/**
 * Notes, before helm is asked, that this install is going to touch a release. `deployed` is the revision that is there now;
 * a second try keeps the one of the first, since what it finds may be this install's own.
 */
export function beginRelease(receipt: Receipt, { release, namespace }: ReleaseRef, deployed: number): Receipt {
  const records = receipt.releases ?? [];
  if (records.some((record) => isSameRelease(record, { release, namespace }))) return receipt;
  return { ...receipt, releases: [...records, { release, namespace, revision: 0, previousRevision: deployed }] };
}

/** Notes the revision that helm has made; that of the site's own release also as `helm`, where the first receipts had it. */
export function endRelease(receipt: Receipt, named: ReleaseRef, revision: number): Receipt {
  const releases = (receipt.releases ?? []).map((each) => (isSameRelease(each, named) ? { ...each, revision } : each));
  const own = releases.find((each) => isSameRelease(each, receipt.cluster));
  if (own === undefined) return { ...receipt, releases };
  return { ...receipt, releases, helm: { revision: own.revision, previousRevision: own.previousRevision } };
}

/** Which cluster it is, as far as it says. */
export type ClusterIdentity = Pick<Receipt["cluster"], "server" | "url">;

/**
 * Whether a receipt tells of this cluster. The uid decides where both are known: the same address may lead to another
 * cluster by now. Without, the address does; a receipt with neither is nobody's.
 */
export function isOfCluster({ cluster }: Pick<Receipt, "cluster">, { server, url }: ClusterIdentity): boolean {
  if (cluster.server !== unknownCluster && server !== unknownCluster) return cluster.server === server;
  return url !== undefined && cluster.url === url;
}

/** Whether it tells of the same release of the same cluster. */
export function isOfTarget(receipt: Receipt, target: Receipt["cluster"]): boolean {
  const { namespace, release } = receipt.cluster;
  return namespace === target.namespace && release === target.release && isOfCluster(receipt, target);
}

export interface Additions {
  readonly objects?: readonly ObjectRecord[] | undefined;
  readonly crds?: readonly ObjectRecord[] | undefined;
  readonly leftovers?: readonly LeftoverRecord[] | undefined;
  readonly plugins?: readonly PluginRecord[] | undefined;
  readonly pushed?: readonly string[] | undefined;
}

/** Adds what a phase did. Who made an object is decided by the first record: later ones find it there already. */
export function withMore(receipt: Receipt, more: Additions): Receipt {
  return {
    ...receipt,
    objects: merged(receipt.objects, more.objects ?? [], (known, now) => ({ ...now, did: known.did })),
    crds: merged(receipt.crds, more.crds ?? [], (known, now) => ({ ...now, did: known.did })),
    leftovers: merged(receipt.leftovers, more.leftovers ?? [], (known) => known),
    plugins: merged(receipt.plugins, more.plugins ?? [], laterPlugin),
    pushed: [...new Set([...receipt.pushed, ...(more.pushed ?? [])])],
  };
}

/** `before` is what was there before us, not before the last run. */
function laterPlugin(known: PluginRecord, now: PluginRecord): PluginRecord {
  const { namespace, name, url, state } = now;
  const record = { namespace, name, url, state };
  return known.before === undefined ? record : { ...record, before: known.before };
}

interface Named {
  readonly resource?: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

function merged<T extends Named>(known: readonly T[], news: readonly T[], join: (known: T, now: T) => T): T[] {
  const all = new Map(known.map((record) => [recordKey(record), record]));
  for (const record of news) {
    const had = all.get(recordKey(record));
    all.set(recordKey(record), had === undefined ? record : join(had, record));
  }
  return [...all.values()];
}

/** What an object is known by, over all receipts of a cluster. */
export function recordKey({ resource = "", namespace = "", name }: Named): string {
  return `${resource} ${namespace} ${name}`;
}

function isOpen({ state }: Receipt): boolean {
  return state === "running" || state === "failed";
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).every((key) => a[key] === b[key]);
}
