import * as z from "zod";
import { NamespaceName, ObjectName, ReleaseName, ResourceName } from "./names.ts";

const Text = z.string().max(600);
/** A signed one is long. */
const Url = z.string().max(4096);

/** An object that we made or changed. `uid` says which one: a namesake that came later is not ours to touch. */
export const ObjectRecord = z.strictObject({
  resource: ResourceName.describe("deployments.apps"),
  namespace: NamespaceName.optional(),
  name: ObjectName,
  uid: z.string().max(100).optional(),
  /** `created`: it was not there before. `changed`: fields of somebody else's object, which undo gives back. */
  did: z.enum(["created", "changed"]),
});
export interface ObjectRecord extends z.output<typeof ObjectRecord> {}

const Pointer = z.string().regex(/^\/(spec|metadata)\/[^\s]{1,300}$/);
const PatchValue = z.union([Url, z.boolean(), z.number()]);

/** RFC 6902 operations without anything large or secret: what `PatchOperation` of kubernetes.ts allows. */
const PatchRecord = z.union([
  z.strictObject({ op: z.enum(["add", "replace", "test"]), path: Pointer, value: PatchValue }),
  z.strictObject({ op: z.literal("remove"), path: Pointer }),
  z.strictObject({ op: z.literal("move"), from: Pointer, path: Pointer }),
]);

/** A WasmPlugin that was there before us and pointed outside: what was done, and the operations that undo it. */
export const LeftoverRecord = z.strictObject({
  resource: ResourceName,
  namespace: NamespaceName,
  name: ObjectName,
  did: z.enum(["repointed", "disabled"]),
  url: Url.describe("The URL that it had"),
  undo: z.array(PatchRecord).max(2000),
});
export interface LeftoverRecord extends z.output<typeof LeftoverRecord> {}

export const PluginRecord = z.strictObject({
  namespace: NamespaceName,
  name: ObjectName,
  url: Url,
  state: z.enum(["on", "off"]),
  /** The URL that it had before this install, when it was there. */
  before: Url.optional(),
});
export interface PluginRecord extends z.output<typeof PluginRecord> {}

export const PhaseRecord = z.strictObject({
  phase: z.string().max(40),
  state: z.enum(["started", "done", "skipped", "failed"]),
  at: z.string().max(40),
});

/** A chart of the bundle as helm has it. */
export const ReleaseRecord = z.strictObject({
  release: ReleaseName,
  namespace: NamespaceName,
  /** 0 until helm has answered. */
  revision: z.int().min(0),
  /** What was deployed before this install first touched it; 0: nothing. */
  previousRevision: z.int().min(0),
});
export interface ReleaseRecord extends z.output<typeof ReleaseRecord> {}

/** A release of somebody else that an install took over, at the revision to go back to. */
export const AdoptedRecord = z.strictObject({
  release: ReleaseName,
  namespace: NamespaceName,
  revision: z.int().min(1),
  chart: Text,
  version: Text,
  values: z.enum(["keep-values", "site-values"]),
});
export interface AdoptedRecord extends z.output<typeof AdoptedRecord> {}

/** What one install did: enough to resume, show, repeat and undo it, and no secret. Also `kubectl get cm` for people. */
export const Receipt = z.strictObject({
  receiptVersion: z.literal(1),
  number: z.int().min(1).max(9999),
  tool: z.string().max(64),
  state: z.enum(["running", "done", "failed", "undone"]),
  started: z.string().max(40),
  bundle: z.strictObject({ name: z.string().max(128), version: z.string().max(128), id: z.string().max(100) }),
  cluster: z.strictObject({
    /** uid of kube-system, or `unknownCluster`. */
    server: z.string().max(300),
    /** Of the API server, as the kubeconfig has it. */
    url: Text.optional(),
    namespace: NamespaceName,
    release: ReleaseName,
  }),
  /** sha256 of the values that helm was given; the values themselves are beside the receipt. */
  values: z.string().max(100),
  /** `withPhase` keeps fewer; earlier versions kept those of every try. */
  phases: z.array(PhaseRecord).max(5000),
  /** Of the site's release; the only one that the first receipts knew. */
  helm: z.strictObject({ revision: z.int().min(0), previousRevision: z.int().min(0) }).optional(),
  /** One for each chart, in the order in which they were installed. */
  releases: z.array(ReleaseRecord).max(100).optional(),
  adopted: z.array(AdoptedRecord).max(100).optional(),
  objects: z.array(ObjectRecord).max(5000),
  crds: z.array(ObjectRecord).max(500),
  leftovers: z.array(LeftoverRecord).max(1000),
  plugins: z.array(PluginRecord).max(1000),
  pushed: z.array(z.string().max(700)).max(20_000).describe("Tags that the push wrote: reference@digest"),
});
export interface Receipt extends z.output<typeof Receipt> {}

/** The server of a receipt that was written where kube-system may not be read. */
export const unknownCluster = "unknown";

/**
 * The releases that an install has begun with helm, also of a receipt from before there was a record for each. One that
 * ended before helm has none: what stands under the name of its release may be somebody else's.
 */
export function releasesOf({ releases, helm, cluster: { release, namespace } }: Receipt): readonly ReleaseRecord[] {
  return releases ?? (helm === undefined ? [] : [{ release, namespace, ...helm }]);
}

export type ReleaseRef = Pick<ReleaseRecord, "release" | "namespace">;

export function isSameRelease(a: ReleaseRef, b: ReleaseRef): boolean {
  return a.release === b.release && a.namespace === b.namespace;
}
