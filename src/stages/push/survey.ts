import { readGraph, type Graph } from "../../content/graph.ts";
import type { Fetcher } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { LockItem } from "../../model/lock.ts";
import { projectOf, type Mapped } from "../../model/relocation.ts";
import { mapTogether } from "../../std/map-together.ts";
import type { PushSource, PushTarget, ArtifactDigest } from "./ports.ts";

/** One item in one repository, under all the tags that it has there, and what the target already has of it. */
export interface Placement {
  readonly item: LockItem;
  readonly registry: string;
  readonly repository: string;
  readonly tags: readonly string[];
  /** Tags that do not point at the root yet. */
  readonly missingTags: readonly string[];
  /** Some tag points at the root, so everything below is there: a registry takes a manifest only after its content. */
  readonly complete: boolean;
  /** Undefined for a finished placement of a delta that does not carry its root: there is nothing to read it from. */
  readonly graph: Graph | undefined;
}

type Place = Omit<Placement, "missingTags" | "complete" | "graph">;

/** A blob where it is wanted, for the first placement of a repository that wants it. */
export interface PlacedBlob {
  readonly placement: Placement;
  readonly blob: Descriptor;
}

/** A blob or manifest in a repository: what a registry can be asked for, and what is sent at most once. */
export type PlacementKey = string & { readonly __brand: "PlacementKey" };

export function placementKey(repository: string, digest: Digest): PlacementKey {
  return `${repository}@${digest}` as PlacementKey;
}

function placesOf(mapped: readonly Mapped[]): readonly Place[] {
  return mapped.flatMap(({ item, targets }) => {
    const tags = new Map<string, string[]>();
    for (const { repository, tag } of targets) tags.set(repository, [...(tags.get(repository) ?? []), tag ?? "latest"]);
    const registry = targets[0]?.registry ?? "";
    return [...tags].map(([repository, names]) => ({ item, registry, repository, tags: names }));
  });
}

interface Asked extends SurveyOptions {
  readonly source: PushSource;
  readonly target: PushTarget;
  /** Collects manifests that neither side has, so that all of them are named at once; the graph is undefined then. */
  readonly absent: Set<Digest>;
}

/** A delta leaves out manifests too; the other side has them where the item goes. */
async function graphOf(
  { item, repository }: Place,
  { source, target, absent, signal }: Asked,
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

export interface Survey {
  readonly placements: readonly Placement[];
  readonly present: ReadonlySet<PlacementKey>;
}

export interface SurveyOptions {
  readonly artifactDigest?: ArtifactDigest | undefined;
  /** Which bundle a delta was made against, for the message. */
  readonly base?: string | undefined;
  /** First path segments that will be made before anything is sent: nothing can be there, and asking would be refused. */
  readonly newProjects?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Questions have no bodies, so the round trip is all they cost: 16 at once is 25 times one by one
 * (docs/facts/node.md#latency).
 */
const questionsAtOnce = 16;

/** Harbor's answer to HEAD when a pull policy blocks, and to PUT when a tag is immutable. */
export const preconditionFailed = 412;

/**
 * Asks what is there, and changes nothing. A tag that points at the right digest settles a placement in one request;
 * only of the others is every blob asked for.
 * @throws Failure DELTA_BASE_MISSING when the bundle leaves out what the target does not have either
 */
export async function survey(
  mapped: readonly Mapped[],
  source: PushSource,
  target: PushTarget,
  options: SurveyOptions = {},
): Promise<Survey> {
  const together = { concurrency: questionsAtOnce, signal: options.signal };
  const asked = { ...options, source, target, absent: new Set<Digest>() };
  const placements = await mapTogether(
    placesOf(mapped),
    (place, signal) => surveyPlace(place, { ...asked, signal }),
    together,
  );
  const wanted = wantedBlobs(placements.filter(({ complete }) => !complete));
  const present = new Set<PlacementKey>(wantedBlobs(placements.filter(({ complete }) => complete)).keys());
  await mapTogether(
    [...wanted].filter(([key, { placement }]) => !present.has(key) && !isNew(placement.repository, options)),
    async ([key, { placement, blob }], signal) => {
      if (await target.repository(placement.repository).has(blob, signal)) present.add(key);
    },
    together,
  );
  const absent = new Set([...asked.absent, ...missingBlobs([...wanted.values()], present, source)]);
  if (absent.size > 0) throw baseMissing([...absent], options.base);
  return { placements, present };
}

async function surveyPlace(place: Place, asked: Asked): Promise<Placement> {
  const { item, repository, tags } = place;
  const ask = (tag: string) => digestAt(asked.target, repository, tag, asked);
  const digests = isNew(repository, asked) ? [] : await Promise.all(tags.map(ask));
  const missingTags = tags.filter((_, index) => digests[index] !== item.root.digest);
  const needsNoGraph = missingTags.length === 0 && !asked.source.hasBlob(item.root.digest);
  const graph = needsNoGraph ? undefined : await graphOf(place, asked);
  return { ...place, missingTags, complete: missingTags.length < tags.length, graph };
}

function isNew(repository: string, { newProjects }: SurveyOptions): boolean {
  return newProjects?.has(projectOf(repository)) === true;
}

/**
 * The digest behind a tag, past a pull policy when there is a way; `undefined` when there is no such tag, "hidden" when
 * a policy keeps the answer back.
 */
export async function digestAt(
  target: PushTarget,
  repository: string,
  tag: string,
  { artifactDigest, signal }: Pick<SurveyOptions, "artifactDigest" | "signal">,
): Promise<Digest | "hidden" | undefined> {
  try {
    return (await target.repository(repository).head(tag, signal))?.digest;
  } catch (error) {
    if (!isFailure(error, "REGISTRY_REFUSED") || error.facts.status !== preconditionFailed) throw error;
    return artifactDigest === undefined ? "hidden" : artifactDigest(repository, tag, signal);
  }
}

/** Every blob of every repository once, in the order of the bundle. */
export function wantedBlobs(placements: readonly Placement[]): ReadonlyMap<PlacementKey, PlacedBlob> {
  const wanted = new Map<PlacementKey, PlacedBlob>();
  for (const placement of placements)
    for (const blob of placement.graph?.blobs ?? []) {
      const key = placementKey(placement.repository, blob.digest);
      if (!wanted.has(key)) wanted.set(key, { placement, blob });
    }
  return wanted;
}

function missingBlobs(
  wanted: readonly PlacedBlob[],
  present: ReadonlySet<PlacementKey>,
  source: PushSource,
): readonly Digest[] {
  const somewhere = new Set([...present].map((key) => key.slice(key.indexOf("@") + 1)));
  return wanted.map(({ blob }) => blob.digest).filter((digest) => !source.hasBlob(digest) && !somewhere.has(digest));
}

function baseMissing(digests: readonly Digest[], base = "?"): Failure {
  return new Failure("DELTA_BASE_MISSING", {
    missing: digests.length,
    base,
    examples: digests.slice(0, 5).join(", "),
  });
}
