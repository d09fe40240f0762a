import type { PatchOperation } from "../../../src/model/kubernetes.ts";

export type Leaves = Map<string, { readonly value: unknown; readonly manager: string }>;
type Segment = string | { readonly name: string };

/** The leaves of a document by path; lists of named items are maps by name, other lists are one leaf (as in most schemas). */
export function leavesOf(
  value: unknown,
  manager: string,
  path: readonly Segment[] = [],
  into: Leaves = new Map(),
): Leaves {
  if (isNamedList(value)) for (const item of value) leavesOf(item, manager, [...path, { name: item.name }], into);
  else if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0)
    for (const [key, child] of Object.entries(value)) leavesOf(child, manager, [...path, key], into);
  else if (value !== undefined) into.set(JSON.stringify(path), { value, manager });
  return into;
}

export function rebuilt(leaves: Leaves): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [key, { value }] of leaves) {
    const path = JSON.parse(key) as Segment[];
    let at: unknown = root;
    path.forEach((segment, depth) => {
      const next = depth === path.length - 1 ? value : typeof path[depth + 1] === "string" ? {} : [];
      at =
        typeof segment === "string"
          ? member(at as Record<string, unknown>, segment, next)
          : item(at as unknown[], segment.name, next);
    });
  }
  return root;
}

function member(of: Record<string, unknown>, key: string, otherwise: unknown): unknown {
  return (of[key] ??= otherwise);
}

function item(of: unknown[], name: string, otherwise: unknown): unknown {
  const found = of.find((entry) => (entry as { name: string }).name === name);
  if (found !== undefined) return found;
  of.push(otherwise);
  return otherwise;
}

function isNamedList(value: unknown): value is readonly { name: string }[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((entry) => typeof (entry as { name?: unknown } | null)?.name === "string")
  );
}

/** RFC 6902 on a copy; undefined when a `test` does not hold or a path is not there. */
export function patched(document: unknown, operations: readonly PatchOperation[]): Record<string, unknown> | undefined {
  const root = structuredClone(document) as Record<string, unknown>;
  return operations.every((operation) => did(root, operation)) ? root : undefined;
}

function did(root: Record<string, unknown>, operation: PatchOperation): boolean {
  const target = parentOf(root, operation.path);
  if (target === undefined) return false;
  const { parent, key } = target;
  switch (operation.op) {
    case "test":
      return parent[key] === operation.value;
    case "add":
      parent[key] = operation.value;
      return true;
    case "replace":
      if (!(key in parent)) return false;
      parent[key] = operation.value;
      return true;
    case "remove":
      return key in parent && Reflect.deleteProperty(parent, key);
    case "move": {
      const from = parentOf(root, operation.from);
      if (from === undefined || !(from.key in from.parent)) return false;
      parent[key] = from.parent[from.key];
      return Reflect.deleteProperty(from.parent, from.key);
    }
  }
}

function parentOf(
  root: Record<string, unknown>,
  path: string,
): { parent: Record<string, unknown>; key: string } | undefined {
  const keys = path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  let at: unknown = root;
  for (const key of keys.slice(0, -1)) at = (at as Record<string, unknown> | undefined)?.[key];
  return typeof at === "object" && at !== null
    ? { parent: at as Record<string, unknown>, key: keys.at(-1) ?? "" }
    : undefined;
}
