import { setMaxListeners } from "node:events";
import pMap from "p-map";
import { silent, type Report } from "../../model/event.ts";
import { Failure } from "../../model/failure.ts";
import { printReference } from "../../model/reference.ts";
import type { Digest } from "../../model/digest.ts";
import { refuseUnstorable } from "./config-prediction.ts";
import type { Mapped } from "../../model/relocation.ts";
import { lostRefusal, missingProject, type TargetState } from "./explain.ts";
import { bytesByProject, bytesOf, planPush, type PushPlan } from "./plan.ts";
import type { ArtifactDigest, PushSource, PushTarget } from "./ports.ts";
import { digestAt, type Surveyed } from "./survey.ts";
import { transfer } from "./transfer.ts";

export interface PushedTag {
  readonly reference: string;
  readonly digest: Digest;
}

export interface PushOptions {
  /** Blobs at once, over all items. @default 8 */
  readonly concurrency?: number | undefined;
  /** Manifests at once: Harbor answers 500 when many touch one quota row (facts: harbor §9). @default 2 */
  readonly manifestConcurrency?: number | undefined;
  /** Ask and count, send nothing. */
  readonly dryRun?: boolean | undefined;
  /** "2.12.1" when the target is a Harbor: what it would answer 500 to is refused before anything is sent. */
  readonly harborVersion?: string | undefined;
  readonly artifactDigest?: ArtifactDigest | undefined;
  /** Asked when the line breaks: a refusal may have been lost with it. */
  readonly state?: TargetState | undefined;
  /** Which bundle a delta was made against. */
  readonly base?: string | undefined;
  /** Projects that are not there and would be made: for a dry run, which makes none. */
  readonly newProjects?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: Report | undefined;
  /** Milliseconds; injected so that a test can let an hour pass. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds before a manifest that was refused for missing content is put a third time, doubled from there. @default 2000 */
  readonly settleDelay?: number | undefined;
}

/** `uploaded`, `mounted` and `present` are bytes; `blobs` counts blob and repository pairs. */
export interface PushResult {
  readonly uploaded: number;
  readonly mounted: number;
  readonly present: number;
  readonly blobs: { readonly uploaded: number; readonly mounted: number; readonly present: number };
  readonly tags: readonly PushedTag[];
}

/**
 * Makes every target point at its item: each unique blob is sent once, manifests follow their content, a tag comes when
 * all below it is there, and at the end the tags are read again. Run a second time, or after a kill, it sends what is
 * missing and nothing else. The first failure stops the rest.
 * @throws Failure DELTA_BASE_MISSING and MANIFEST_INVALID before anything is sent; CONTENT_MISMATCH when a tag points
 *   elsewhere afterwards; REGISTRY_* as the target answers
 */
export async function pushItems(
  mapped: readonly Mapped[],
  source: PushSource,
  target: PushTarget,
  given: PushOptions = {},
): Promise<PushResult> {
  const options = { ...given, signal: manyListeners(given.signal) };
  const { report = silent, state, signal, harborVersion } = options;
  const plan = await planPush(mapped, source, target, options).catch(async (error: unknown) => {
    throw (state && (await missingProject(error, projectsOf(mapped), state, signal))) ?? error;
  });
  if (harborVersion !== undefined) await refuseUnstorable(plan.placements, source, harborVersion, signal);
  report({ type: "transfer", phase: "push", items: plan.placements.length, bytes: bytesOf(plan.uploads) });
  if (options.dryRun === true) return { ...planned(plan), tags: plan.placements.flatMap(tagsOf) };
  const done = await transfer(plan, source, target, options).catch(async (error: unknown) => {
    const left = async () => bytesByProject(await planPush(mapped, source, target, options));
    throw (state && (await lostRefusal(error, left, state, signal))) ?? error;
  });
  const tags = await confirm(plan.placements, target, options);
  return { ...done, present: bytesOf(plan.present) + plan.presentBytes, tags };
}

function projectsOf(mapped: readonly Mapped[]): ReadonlySet<string> {
  return new Set(mapped.flatMap(({ targets }) => targets.map(({ repository }) => repository.split("/")[0] ?? "")));
}

/** Each request in flight listens for the end; Node takes more than ten listeners for a leak. */
function manyListeners(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const own = AbortSignal.any([signal]);
  setMaxListeners(0, own);
  return own;
}

function planned(plan: PushPlan): Omit<PushResult, "tags"> {
  return {
    uploaded: bytesOf(plan.uploads),
    mounted: bytesOf(plan.mounts),
    present: bytesOf(plan.present) + plan.presentBytes,
    blobs: { uploaded: plan.uploads.length, mounted: plan.mounts.length, present: plan.present.length },
  };
}

function tagsOf({ placement }: Surveyed): readonly PushedTag[] {
  const { registry, repository, item } = placement;
  return placement.tags.map((tag) => ({
    reference: printReference({ registry, repository, tag }),
    digest: item.root.digest,
  }));
}

/** Reads the tags that were written again: what the target says now is what the cluster will pull. */
async function confirm(
  placements: readonly Surveyed[],
  target: PushTarget,
  options: PushOptions,
): Promise<readonly PushedTag[]> {
  const one = async (surveyed: Surveyed): Promise<readonly PushedTag[]> => {
    const { repository, item } = surveyed.placement;
    for (const tag of surveyed.missingTags)
      refuseOther(`${repository}:${tag}`, item.root.digest, await digestAt(target, repository, tag, options));
    return tagsOf(surveyed);
  };
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  return (await pMap(placements, one, { concurrency: 8, ...signal })).flat();
}

/** Of a tag whose answer is hidden by a pull policy, the 201 of the PUT is all that can be known. */
function refuseOther(what: string, wanted: Digest, got: Digest | "hidden" | undefined): void {
  if (got === "hidden" || got === wanted) return;
  if (got === undefined) throw new Failure("CONTENT_MISSING", { what, where: "target" }, { side: "target" });
  throw new Failure("CONTENT_MISMATCH", { what, wanted, got }, { side: "target" });
}
