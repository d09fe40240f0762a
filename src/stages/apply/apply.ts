import type { Pod } from "kubernetes-types/core/v1.js";
import {
  fieldManager,
  resourceOf,
  type ClusterPort,
  type KubeObject,
  type ObjectsPort,
} from "../../model/kubernetes.ts";
import type { ObjectRecord } from "../../model/receipt.ts";
import {
  crdNames,
  caConfigMap,
  caOverlay,
  namespaceObject,
  pullSecret,
  serviceAccountPatch,
  type PullSecret,
  placedTargets,
  type TrustTarget,
} from "./objects.ts";

export type ApplyPort = ObjectsPort & Pick<ClusterPort, "established">;

export interface ApplyInput {
  readonly namespace: string;
  readonly pullSecret?: PullSecret | undefined;
  /** PEM of the CA that signed the registry's certificate. */
  readonly ca?: string | undefined;
  /** YAML of CRD files; they are upgraded too, which helm never does. */
  readonly crds: readonly string[];
  readonly trust: readonly TrustTarget[];
  /** Accounts whose workloads have no value for a pull secret. */
  readonly serviceAccounts: readonly string[];
  /** Take over fields that somebody else has set; off, they are reported as CLUSTER_CONFLICT. */
  readonly takeOver?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For the receipt: each object that was made or changed. */
export interface Applied {
  readonly objects: readonly ObjectRecord[];
  readonly crds: readonly ObjectRecord[];
}

const establishedSeconds = 60;

/**
 * What must be there before helm: namespace, pull secret, CA, and CRDs that the API server has accepted. Run again,
 * it changes nothing.
 */
export async function prepareCluster(input: ApplyInput, cluster: ApplyPort): Promise<Applied> {
  const { namespace, signal } = input;
  const there = await cluster.get({ resource: "namespaces", name: namespace }, signal);
  // A namespace of somebody else stays as it is: our label on it would make it look like ours to remove.
  const objects = there === undefined ? await applied([namespaceObject(namespace)], input, cluster) : [];
  const documents = [
    ...(input.pullSecret === undefined ? [] : [pullSecret(namespace, input.pullSecret)]),
    ...(input.ca === undefined ? [] : [caConfigMap(namespace, input.ca)]),
    // `default` is not the chart's to make. Set before the first pod, so that none is born without it.
    ...accountPatches(input).filter(({ metadata }) => metadata.name === "default"),
  ];
  const more = await applied(documents, input, cluster);
  const crds = await Promise.all(crdNames(input.crds).map((name) => recordOf(cluster, crdObject(name), input.signal)));
  // Forced: helm made them at the first install, and so "owns" what only we upgrade.
  if (input.crds.length > 0) await cluster.apply(input.crds.join("\n---\n"), { fieldManager, force: true, signal });
  await cluster.established(
    crds.map(({ name }) => name),
    establishedSeconds,
    signal,
  );
  return {
    objects: [...objects, ...more],
    crds: await Promise.all(crds.map((record) => withUid(cluster, record, signal))),
  };
}

/**
 * What values cannot express, laid over helm's objects with an owner of our own: it outlives every later helm upgrade.
 * Pods that stand without their image because they were born before are started anew.
 */
export async function overlayCluster(input: ApplyInput, cluster: ApplyPort): Promise<Applied> {
  const { namespace, ca } = input;
  const targets = ca === undefined ? [] : await presentTargets(input, cluster);
  const overlays = ca === undefined ? [] : targets.map((target) => caOverlay(namespace, target, ca));
  const accounts = await present(accountPatches(input), cluster, input.signal);
  const objects = await applied([...overlays, ...accounts], input, cluster);
  if (input.pullSecret !== undefined && accounts.length > 0) {
    const names = accounts.map(({ metadata }) => metadata.name);
    await restartPendingPulls(
      { namespace, accounts: names, secret: input.pullSecret.name, signal: input.signal },
      cluster,
    );
  }
  return { objects, crds: [] };
}

function accountPatches({ namespace, serviceAccounts, pullSecret: secret }: ApplyInput): readonly KubeObject[] {
  if (secret === undefined) return [];
  return serviceAccounts.map((account) => serviceAccountPatch(namespace, account, secret.name));
}

interface Workload extends KubeObject {
  readonly spec?: {
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly name: string }[] } };
  };
}

async function presentTargets({ namespace, trust, signal }: ApplyInput, cluster: ApplyPort): Promise<TrustTarget[]> {
  const found = await cluster.list<Workload>({ resource: "deployments.apps,daemonsets.apps", namespace, signal });
  const workloads = found.map(({ kind, metadata, spec }) => ({
    kind,
    name: metadata.name,
    containers: (spec?.template?.spec?.containers ?? []).map(({ name }) => name),
  }));
  return trust.flatMap((target) => placedTargets(target, workloads));
}

async function present(
  documents: readonly KubeObject[],
  cluster: ApplyPort,
  signal: AbortSignal | undefined,
): Promise<readonly KubeObject[]> {
  const found = await Promise.all(documents.map((document) => cluster.get(refOf(document), signal)));
  return documents.filter((_, at) => found[at] !== undefined);
}

async function applied(
  documents: readonly KubeObject[],
  { takeOver, signal }: ApplyInput,
  cluster: ApplyPort,
): Promise<readonly ObjectRecord[]> {
  const records = await Promise.all(documents.map((document) => recordOf(cluster, document, signal)));
  await cluster.apply(documents, { fieldManager, force: takeOver, signal });
  return Promise.all(records.map((record) => withUid(cluster, record, signal)));
}

/** Asked before applying: afterwards nobody can tell what was there. */
async function recordOf(cluster: ApplyPort, document: KubeObject, signal?: AbortSignal): Promise<ObjectRecord> {
  const found = await cluster.get<KubeObject>(refOf(document), signal);
  const ours = found?.metadata.labels?.["app.kubernetes.io/managed-by"] === "higress-airgap";
  return { ...refOf(document), did: found === undefined || ours ? "created" : "changed" };
}

async function withUid(cluster: ApplyPort, record: ObjectRecord, signal?: AbortSignal): Promise<ObjectRecord> {
  const uid = (await cluster.get<KubeObject>(record, signal))?.metadata.uid;
  return uid === undefined ? record : { ...record, uid };
}

function refOf(document: KubeObject): { resource: string; name: string; namespace?: string } {
  const { name, namespace } = document.metadata;
  return { resource: resourceOf(document), name, ...(namespace === undefined ? {} : { namespace }) };
}

function crdObject(name: string): KubeObject {
  return { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name } };
}

export interface PendingPullsInput {
  readonly namespace: string;
  readonly accounts: readonly string[];
  readonly secret: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes the pods of these accounts that wait for an image and were born without the secret: admission gives it to new
 * pods only. A pod that runs has its image, and is left alone.
 */
async function restartPendingPulls(input: PendingPullsInput, cluster: ApplyPort): Promise<readonly string[]> {
  const pods = await cluster.list<Pod>({ resource: "pods", namespace: input.namespace, signal: input.signal });
  const pending = pods.filter((pod) => isPending(pod, input)).flatMap(({ metadata }) => metadata?.name ?? []);
  for (const name of pending)
    await cluster.delete({ resource: "pods", name, namespace: input.namespace }, input.signal);
  return pending;
}

function isPending(pod: Pod, { accounts, secret }: PendingPullsInput): boolean {
  const born = pod.spec?.imagePullSecrets ?? [];
  const mine = accounts.includes(pod.spec?.serviceAccountName ?? "default");
  return mine && !born.some(({ name }) => name === secret) && waitsForImage(pod);
}

function waitsForImage({ status }: Pod): boolean {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const reasons = containers.map(({ state }) => state?.waiting?.reason ?? "");
  return status?.phase === "Pending" || reasons.some((reason) => reason.includes("Image"));
}
