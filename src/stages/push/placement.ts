import { readGraph, type Graph } from "../../content/graph.ts";
import type { Fetcher } from "../../content/store.ts";
import type { Digest } from "../../model/digest.ts";
import type { LockItem } from "../../model/lock.ts";
import type { Mapped } from "../../model/relocation.ts";
import type { PushSource, PushTarget } from "./ports.ts";

/** One item in one repository, under all the tags that it has there. */
export interface Placement {
  readonly item: LockItem;
  readonly registry: string;
  readonly repository: string;
  readonly tags: readonly string[];
}

/** A blob or manifest in a repository: what a registry can be asked for, and what is sent at most once. */
export type PlacementKey = string & { readonly __brand: "PlacementKey" };

export function placementKey(repository: string, digest: Digest): PlacementKey {
  return `${repository}@${digest}` as PlacementKey;
}

export function placementsOf(mapped: readonly Mapped[]): readonly Placement[] {
  return mapped.flatMap(({ item, targets }) => {
    const tags = new Map<string, string[]>();
    for (const { repository, tag } of targets) tags.set(repository, [...(tags.get(repository) ?? []), tag ?? "latest"]);
    const registry = targets[0]?.registry ?? "";
    return [...tags].map(([repository, names]) => ({ item, registry, repository, tags: names }));
  });
}

export interface ReadOptions {
  /** Collects manifests that neither side has; the graph is undefined then. */
  readonly absent: Set<Digest>;
  readonly signal?: AbortSignal | undefined;
}

/** A delta leaves out manifests too; the other side has them where the item goes. */
export async function readPlacement(
  { item, repository }: Placement,
  source: PushSource,
  target: PushTarget,
  { absent, signal }: ReadOptions,
): Promise<Graph | undefined> {
  const either: Fetcher = {
    async *fetch(descriptor, options): AsyncGenerator<Uint8Array> {
      if (source.hasBlob(descriptor.digest)) {
        yield* source.fetch(descriptor, options);
        return;
      }
      const there = target.repository(repository);
      if ((await there.head(descriptor.digest, signal)) === undefined) throw new Absent(descriptor.digest);
      yield* there.fetch(descriptor, options);
    },
  };
  try {
    return await readGraph(either, item.root, "bundle", signal);
  } catch (error) {
    if (!(error instanceof Absent)) throw error;
    absent.add(error.digest);
    return undefined;
  }
}

/** Control flow only: it never leaves this file. */
class Absent extends Error {
  readonly digest: Digest;
  constructor(digest: Digest) {
    super(digest);
    this.digest = digest;
  }
}
