import { isFailure, unlessForbidden } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { fieldManager, type KubeObject, type ObjectsPort, type PatchOperation } from "../../model/kubernetes.ts";
import { isSameRelease, releasesOf, type ObjectRecord, type PluginRecord, type Receipt } from "../../model/receipt.ts";
import { repoint, switchOff, wasmPluginResource, type WasmPlugin } from "../../model/wasm-plugin.ts";
import { abridged } from "../../std/abridged.ts";
import { receiptName } from "./keep.ts";
import type { ReleasePort } from "./ports.ts";
import { recordKey } from "./receipt.ts";

interface UndoOptions {
  readonly cluster: ObjectsPort;
  readonly release: ReleasePort;
  readonly signal?: AbortSignal | undefined;
}

interface UninstallOptions extends UndoOptions {
  /** CRDs go only when asked for: with them goes every object of their kinds, of every namespace. */
  readonly crds?: boolean | undefined;
  /** The namespace goes only when asked for, when we made it, and when nothing else is left in it. */
  readonly namespace?: boolean | undefined;
  /** Kinds that came with CRDs, as the cluster has them: what stands of them in the namespace may be somebody's. */
  readonly customKinds?: (() => Promise<readonly string[]>) | undefined;
}

/**
 * Brings back what `before` describes: the release's revision, plugins, and none of the objects that only `current`
 * made. CRDs are not taken back: an older schema could drop fields of objects that are there.
 */
export async function rollback(current: Receipt, before: Receipt, options: UndoOptions): Promise<readonly Finding[]> {
  const { cluster, release, signal } = options;
  const findings: Finding[] = [];
  // Plugins first: an older gateway must not start with modules that are too new for it.
  for (const plugin of current.plugins) {
    const then = before.plugins.find(({ name, namespace }) => name === plugin.name && namespace === plugin.namespace);
    if (!(await plugInBack(plugin, then, cluster, signal))) findings.push(drift(plugin.name));
  }
  findings.push(...(await undoLeftovers(current, before, options)));
  await releasesBack(current, before, release, signal);
  const known = new Set(before.objects.map(recordKey));
  for (const record of current.objects.filter((object) => !known.has(recordKey(object))))
    findings.push(...(await takeBack(record, cluster, signal)));
  return findings;
}

/** Removes what the receipt lists, and nothing else; what somebody has made anew under one of its names is left, and named. */
export async function uninstall(receipt: Receipt, options: UninstallOptions): Promise<readonly Finding[]> {
  const { cluster, release, signal } = options;
  const findings: Finding[] = [];
  for (const plugin of receipt.plugins)
    if (!(await plugInBack(plugin, undefined, cluster, signal))) findings.push(drift(plugin.name));
  findings.push(...(await undoLeftovers(receipt, undefined, options)));
  for (const each of releasesOf(receipt).toReversed()) await release.uninstall(each, signal);
  const [spaces, objects] = [receipt.objects.filter(isNamespace), receipt.objects.filter((one) => !isNamespace(one))];
  for (const record of objects.toReversed()) findings.push(...(await takeBack(record, cluster, signal)));
  if (options.crds === true)
    for (const crd of receipt.crds.filter(({ did }) => did === "created"))
      findings.push(...(await removeOurs(crd, cluster, signal)));
  await cluster.delete({ resource: "configmaps", name: receiptName, namespace: receipt.cluster.namespace }, signal);
  if (options.namespace === true) for (const space of spaces) findings.push(...(await removeEmpty(space, options)));
  return findings;
}

/** The last chart first: it may rest on those before it. One that the install before did not have goes. */
async function releasesBack(current: Receipt, before: Receipt, port: ReleasePort, signal?: AbortSignal): Promise<void> {
  const then = releasesOf(before);
  const gone = releasesOf(current).filter((now) => !then.some((each) => isSameRelease(each, now)));
  for (const each of gone.toReversed()) await port.uninstall(each, signal);
  for (const each of then.toReversed()) if (each.revision > 0) await port.rollback(each, each.revision, signal);
}

/** @returns false when the plugin is no longer the one that the receipt tells of, and so was left alone */
async function plugInBack(
  plugin: PluginRecord,
  then: PluginRecord | undefined,
  cluster: ObjectsPort,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ref = { resource: wasmPluginResource, name: plugin.name, namespace: plugin.namespace };
  const target = then?.url ?? plugin.before;
  const live = await cluster.get<WasmPlugin>(ref, signal);
  if (live === undefined) return true;
  const url = live.spec?.url;
  if (url !== plugin.url) return url === target;
  if (target === undefined) {
    await cluster.delete(ref, signal);
    return true;
  }
  const operations = wayBack(live, target, then?.state === "off");
  return operations.length === 0 || cluster.patch(ref, operations, { fieldManager, signal });
}

function wayBack(live: WasmPlugin, url: string, off: boolean): readonly PatchOperation[] {
  const moved = live.spec?.url === url ? [] : repoint(live, url, undefined).apply;
  return [...moved, ...(off ? (switchOff(live)?.apply ?? []) : [])];
}

async function undoLeftovers(
  current: Receipt,
  before: Receipt | undefined,
  { cluster, signal }: UndoOptions,
): Promise<readonly Finding[]> {
  const settled = new Set(before?.leftovers.map(recordKey));
  const findings: Finding[] = [];
  for (const record of current.leftovers.filter((leftover) => !settled.has(recordKey(leftover))).toReversed()) {
    if ((await cluster.get(record, signal)) === undefined) continue;
    if (!(await cluster.patch(record, record.undo, { fieldManager, signal }))) findings.push(drift(record.name));
  }
  return findings;
}

/** What somebody would miss, of the kinds that every cluster has. */
const keptKinds =
  "pods,services,deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,cronjobs.batch,persistentvolumeclaims,secrets,configmaps,ingresses.networking.k8s.io";

async function removeEmpty(
  space: ObjectRecord,
  { cluster, signal, customKinds }: UninstallOptions,
): Promise<readonly Finding[]> {
  if (space.did !== "created") return [];
  const left: string[] = [];
  // Each by itself: one kind that has just gone makes the whole answer empty.
  for (const resource of [keptKinds, ...((await customKinds?.()) ?? [])]) {
    const found = await unlessForbidden(cluster.list<KubeObject>({ resource, namespace: space.name, signal }));
    // Whoever may not look cannot say that nothing is there.
    if ("why" in found) left.push(`${resource} ?`);
    else
      left.push(
        ...found.answer
          .filter((each) => isSomebodys(each, space))
          .map(({ kind, metadata }) => `${kind}/${metadata.name}`),
      );
  }
  if (left.length === 0) return removeOurs(space, cluster, signal);
  return [finding("warning", "cluster.drift", { object: `namespace ${space.name}`, fields: abridged(left, 5) })];
}

/** Of kinds that belong to no namespace the answer has all there are. */
function isSomebodys({ metadata }: KubeObject, space: ObjectRecord): boolean {
  if (metadata.namespace !== space.name) return false;
  return metadata.name !== "kube-root-ca.crt" && metadata["deletionTimestamp"] === undefined;
}

function drift(name: string): Finding {
  return finding("warning", "cluster.drift", { object: `WasmPlugin ${name}`, fields: "spec.url" });
}

function isNamespace({ resource }: ObjectRecord): boolean {
  return resource === "namespaces";
}

/** Undoes what an install did to an object: what it made goes, and in what was there before it gives up its fields. */
async function takeBack(record: ObjectRecord, cluster: ObjectsPort, signal?: AbortSignal): Promise<readonly Finding[]> {
  if (record.did === "created") return removeOurs(record, cluster, signal);
  await giveBack(record, cluster, signal);
  return [];
}

/** Deletes the very object that the receipt tells of. One with another uid was made by somebody since: left, and named. */
async function removeOurs(
  record: ObjectRecord,
  cluster: ObjectsPort,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const live = await cluster.get<KubeObject>(record, signal);
  if (live === undefined) return [];
  if (record.uid !== undefined && live.metadata.uid !== record.uid)
    return [
      finding("warning", "cluster.drift", { object: `${record.resource} ${record.name}`, fields: "metadata.uid" }),
    ];
  await cluster.delete(record, signal);
  return [];
}

/** Gives back the fields that we own in somebody else's object: server-side apply removes what we no longer say. */
async function giveBack(record: ObjectRecord, cluster: ObjectsPort, signal?: AbortSignal): Promise<void> {
  const live = await cluster.get<KubeObject>(record, signal);
  if (live === undefined || (record.uid !== undefined && live.metadata.uid !== record.uid)) return;
  const { apiVersion, kind } = live;
  const metadata = { name: record.name, ...(record.namespace === undefined ? {} : { namespace: record.namespace }) };
  try {
    await cluster.apply([{ apiVersion, kind, metadata }], { fieldManager, force: true, signal });
  } catch (error) {
    // The object went between asking and applying (helm removes in the background): nothing is left to give back.
    if (!isFailure(error, "KUBECTL_FAILED")) throw error;
    if ((await cluster.get(record, signal)) !== undefined) throw error;
  }
}
