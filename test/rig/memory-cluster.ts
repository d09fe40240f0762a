import { Failure } from "../../src/model/failure.ts";
import {
  pluralOf,
  resourceOf,
  type ApplyOptions,
  type KubeObject,
  type KubeQuery,
  type KubeRef,
  type PatchOperation,
} from "../../src/model/kubernetes.ts";
import { loadTyped } from "../../src/std/yaml.ts";
import { leavesOf, patched, rebuilt, type Leaves } from "./memory-cluster/leaves.ts";

interface Stored {
  readonly uid: string;
  /** Path of each leaf to its value and the manager that set it last. */
  leaves: Leaves;
  /** What they make; made again after a change, since a gateway is looked at hundreds of times between two. */
  object?: KubeObject | undefined;
}

/** A cluster in memory that merges, owns fields, refuses conflicts and patches as the API server does; no controllers. */
export class MemoryCluster {
  readonly #objects = new Map<string, Stored>();
  readonly #asked: string[] = [];
  #uids = 0;

  /** Every call that changed something, in order: `apply ConfigMap/a`, `patch b`, `delete c`. */
  get changes(): readonly string[] {
    return this.#asked;
  }

  /** Puts an object there as somebody else did, not recorded as a change. */
  add(object: KubeObject, manager = "somebody"): void {
    this.#store(object, { fieldManager: manager, force: true });
  }

  get<T>(ref: KubeRef): Promise<T | undefined> {
    const found = this.#objects.get(keyOf(ref));
    return Promise.resolve(found === undefined ? undefined : (objectOf(found) as T));
  }

  list<T>({ resource, namespace, allNamespaces, selector }: KubeQuery): Promise<readonly T[]> {
    const kinds = resource.split(",");
    const labels = (selector ?? "").split(",").flatMap((pair) => (pair === "" ? [] : [pair.split("=")]));
    return Promise.resolve(
      [...this.#objects.values()]
        .map(objectOf)
        .filter(
          (object) =>
            (kinds.includes(resourceOf(object)) || kinds.includes(pluralOf(object.kind))) &&
            (allNamespaces === true || namespace === undefined || object.metadata.namespace === namespace) &&
            labels.every(([key = "", value]) => object.metadata.labels?.[key] === value),
        ) as T[],
    );
  }

  apply(documents: readonly KubeObject[] | string, options: ApplyOptions): Promise<void> {
    const objects = typeof documents === "string" ? (loadTyped(documents) as KubeObject[]) : documents;
    for (const object of objects) {
      this.#asked.push(`apply ${object.kind}/${object.metadata.name}`);
      this.#store(object, options);
    }
    return Promise.resolve();
  }

  patch(ref: KubeRef, operations: readonly PatchOperation[], options: { fieldManager: string }): Promise<boolean> {
    const found = this.#objects.get(keyOf(ref));
    if (found === undefined) throw new Failure("KUBECTL_FAILED", { action: "patch", exit: "1", output: "NotFound" });
    const after = patched(objectOf(found), operations) as { metadata: { uid?: string } } | undefined;
    if (after === undefined) return Promise.resolve(false);
    delete after.metadata.uid;
    this.#asked.push(`patch ${ref.name}`);
    const leaves = leavesOf(after, options.fieldManager);
    for (const [path, leaf] of leaves) {
      const before = found.leaves.get(path);
      if (before !== undefined && before.value === leaf.value) leaves.set(path, before);
    }
    found.leaves = leaves;
    found.object = undefined;
    return Promise.resolve(true);
  }

  delete(ref: KubeRef): Promise<void> {
    this.#asked.push(`delete ${ref.resource}/${ref.name}`);
    this.#objects.delete(keyOf(ref));
    return Promise.resolve();
  }

  established(): Promise<void> {
    return Promise.resolve();
  }

  #store(object: KubeObject, { fieldManager, force }: ApplyOptions): void {
    const { name, namespace } = object.metadata;
    const key = keyOf({ resource: resourceOf(object), name, namespace });
    const known: Stored = this.#objects.get(key) ?? { uid: `uid-${String((this.#uids += 1))}`, leaves: new Map() };
    const wanted = leavesOf(object, fieldManager);
    // A value that both say stays with the first: it outlives our giving it back.
    const news = [...wanted].filter(([path, { value }]) => !same(known.leaves.get(path)?.value, value));
    if (force !== true) refuseConflicts(object, fieldManager, known.leaves, news);
    for (const [path, { manager }] of known.leaves)
      if (manager === fieldManager && !wanted.has(path)) known.leaves.delete(path);
    for (const [path, leaf] of news) known.leaves.set(path, leaf);
    known.object = undefined;
    this.#objects.set(key, known);
  }
}

/** Given to all who ask, so nobody may change it. */
function objectOf(stored: Stored): KubeObject {
  if (stored.object !== undefined) return stored.object;
  const object = structuredClone(rebuilt(stored.leaves)) as unknown as KubeObject;
  return (stored.object = frozen({ ...object, metadata: { ...object.metadata, uid: stored.uid } }));
}

function frozen<T extends object>(value: T): T {
  for (const child of Object.values(value)) if (typeof child === "object" && child !== null) frozen(child as object);
  return Object.freeze(value);
}

function refuseConflicts(
  { kind }: KubeObject,
  manager: string,
  known: Leaves,
  news: readonly [string, unknown][],
): void {
  for (const [path] of news) {
    const owner = known.get(path)?.manager ?? manager;
    if (owner !== manager)
      throw new Failure("CLUSTER_CONFLICT", { what: kind, output: `conflict with "${owner}": ${path}` });
  }
}

function keyOf({ resource, name, namespace }: KubeRef): string {
  return `${resource.split(".")[0] ?? ""} ${namespace ?? ""} ${name}`;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
