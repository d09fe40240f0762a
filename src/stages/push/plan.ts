import pMap from "p-map";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { projectOf, type Mapped } from "../../model/relocation.ts";
import type { PushSource, PushTarget } from "./ports.ts";
import {
  placementKey,
  survey,
  wantedBlobs,
  type PlacedBlob,
  type Placement,
  type PlacementKey,
  type Survey,
  type SurveyOptions,
} from "./survey.ts";

/** Every unique blob goes up once, to the first repository that lacks it, and is mounted from there into the others. */
export interface PushPlan {
  readonly placements: readonly Placement[];
  readonly uploads: ReadonlyMap<PlacementKey, PlacedBlob>;
  readonly mounts: ReadonlyMap<PlacementKey, PlacedBlob & { readonly from: string }>;
  readonly present: readonly PlacedBlob[];
  /** Bytes of finished placements whose blobs the bundle does not list (a delta). */
  readonly presentBytes: number;
}

/** Asks the target what it has, and decides; nothing is sent. @throws as `survey` */
export async function planPush(
  mapped: readonly Mapped[],
  source: PushSource,
  target: PushTarget,
  options: SurveyOptions = {},
): Promise<PushPlan> {
  return decide(await survey(mapped, source, target, options), source);
}

/** The plan that a survey leads to: pure, and in the order of the bundle, so that a stick or disk is read forwards. */
function decide({ placements, present }: Survey, source: Pick<PushSource, "hasBlob">): PushPlan {
  const homes = homesOf(present);
  const uploads = new Map<PlacementKey, PlacedBlob>();
  const mounts = new Map<PlacementKey, PlacedBlob & { from: string }>();
  const there: PlacedBlob[] = [];
  for (const [key, placed] of wantedBlobs(placements)) {
    const { placement, blob } = placed;
    const from = homes.get(blob.digest);
    if (present.has(key)) there.push(placed);
    else if (from !== undefined) mounts.set(key, { ...placed, from });
    // A blob that is in neither place was refused by the survey.
    else if (source.hasBlob(blob.digest)) {
      uploads.set(key, placed);
      homes.set(blob.digest, placement.repository);
    }
  }
  const unread = placements.filter(({ graph }) => graph === undefined);
  const presentBytes = unread.reduce((sum, { item }) => sum + item.bytes, 0);
  return { placements, uploads, mounts, present: there, presentBytes };
}

function homesOf(present: ReadonlySet<PlacementKey>): Map<Digest, string> {
  const homes = new Map<Digest, string>();
  for (const key of present) {
    const at = key.indexOf("@");
    const digest = key.slice(at + 1) as Digest;
    if (!homes.has(digest)) homes.set(digest, key.slice(0, at));
  }
  return homes;
}

/**
 * What a plan would add to each project. A quota counts a blob once in a project, however many repositories have it, and
 * it counts manifests: an index of small images is mostly that.
 */
export function bytesByProject({ placements, uploads, mounts, present }: PushPlan): ReadonlyMap<string, number> {
  const counted = new Set<PlacementKey>(
    present.map(({ placement, blob }) => placementKey(projectOf(placement.repository), blob.digest)),
  );
  const sums = new Map<string, number>();
  const count = (repository: string, { digest, size }: Descriptor): void => {
    const project = projectOf(repository);
    const key = placementKey(project, digest);
    if (!counted.has(key)) sums.set(project, (sums.get(project) ?? 0) + size);
    counted.add(key);
  };
  const manifests = (isThere: boolean) =>
    placements
      .filter(({ complete }) => complete === isThere)
      .flatMap((placement) =>
        (placement.graph?.manifests ?? []).map(({ descriptor }): PlacedBlob => ({ placement, blob: descriptor })),
      );
  for (const { placement, blob } of manifests(true))
    counted.add(placementKey(projectOf(placement.repository), blob.digest));
  for (const { placement, blob } of [...uploads.values(), ...mounts.values(), ...manifests(false)])
    count(placement.repository, blob);
  return sums;
}

export function bytesOf(blobs: Iterable<PlacedBlob>): number {
  return [...blobs].reduce((sum, { blob }) => sum + blob.size, 0);
}

/** How much of these blobs is moved for each placement: a blob that several need is counted for the first. */
export function bytesByPlacement(blobs: Iterable<PlacedBlob>): ReadonlyMap<Placement, number> {
  const sums = new Map<Placement, number>();
  for (const { placement, blob } of blobs) sums.set(placement, (sums.get(placement) ?? 0) + blob.size);
  return sums;
}

/**
 * Which of a bundle's blobs and manifests the target holds where its items go. Nothing is sent. A later push of a delta
 * asks again, so what is removed in between is noticed then.
 */
export async function heldBy(
  mapped: readonly Mapped[],
  source: PushSource,
  target: PushTarget,
  options: SurveyOptions = {},
): Promise<ReadonlySet<Digest>> {
  const { placements, present } = await survey(mapped, source, target, options);
  const held = new Set<Digest>([...present].map((key) => key.slice(key.indexOf("@") + 1) as Digest));
  const manifests = await pMap(placements, (placement) => manifestsAt(placement, target, options.signal), {
    concurrency: 8,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  for (const digest of manifests.flat()) held.add(digest);
  return held;
}

/** Below a tag that is right all is there; of any other each manifest is asked for by its digest. */
async function manifestsAt(
  { repository, graph, complete }: Placement,
  target: PushTarget,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const digests = graph?.manifests.map(({ descriptor }) => descriptor.digest) ?? [];
  if (complete) return digests;
  const there = target.repository(repository);
  const found = await Promise.all(digests.map((digest) => there.head(digest, signal)));
  return digests.filter((_, at) => found[at] !== undefined);
}
