import pMap from "p-map";
import type { Digest } from "../../model/digest.ts";
import type { Mapped } from "../../model/relocation.ts";
import { placementsOf, survey, type Surveyed, type SurveyOptions } from "./survey.ts";
import type { PushSource, PushTarget } from "./ports.ts";

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
  const { placements, present } = await survey(placementsOf(mapped), source, target, options);
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
  { placement, graph, complete }: Surveyed,
  target: PushTarget,
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const digests = graph?.manifests.map(({ descriptor }) => descriptor.digest) ?? [];
  if (complete) return digests;
  const repository = target.repository(placement.repository);
  const found = await Promise.all(digests.map((digest) => repository.head(digest, signal)));
  return digests.filter((_, at) => found[at] !== undefined);
}
