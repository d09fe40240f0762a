import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import pLimit, { type LimitFunction } from "p-limit";
import pMap from "p-map";
import type { Digest } from "../../model/digest.ts";
import { silent, type Report } from "../../model/event.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { printReference } from "../../model/reference.ts";
import { projectsOf, type Mapped } from "../../model/relocation.ts";
import { BlobTransfer, ManifestTransfer } from "./copy.ts";
import { refuseUnstorable, lostRefusal, missingProject, type TargetState } from "./refusals.ts";
import { placementKey, type PlacementKey, digestAt, preconditionFailed, type Placement } from "./survey.ts";
import { bytesByPlacement, bytesByProject, bytesOf, planPush, type PushPlan } from "./plan.ts";
import type { ArtifactDigest, PushSource, PushTarget } from "./ports.ts";

export interface PushedTag {
  readonly reference: string;
  readonly digest: Digest;
}

export interface PushOptions {
  /** Blobs at once, over all items. @default 8 */
  readonly concurrency?: number | undefined;
  /**
   * Manifests at once: Harbor answers 500 when many touch one quota row (docs/facts/harbor.md#bulk-pushes). @default 2
   */
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
  report({ type: "transfer", phase: "push", items: plan.placements.length, bytes: bytesOf(plan.uploads.values()) });
  if (options.dryRun === true) return { ...planned(plan), tags: plan.placements.flatMap(tagsOf) };
  const done = await carryOut(plan, source, target, options).catch(async (error: unknown) => {
    const left = async () => bytesByProject(await planPush(mapped, source, target, options));
    throw (state && (await lostRefusal(error, left, state, signal))) ?? error;
  });
  const tags = await confirm(plan.placements, target, options);
  return { ...done, present: bytesOf(plan.present) + plan.presentBytes, tags };
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
    uploaded: bytesOf(plan.uploads.values()),
    mounted: bytesOf(plan.mounts.values()),
    present: bytesOf(plan.present) + plan.presentBytes,
    blobs: { uploaded: plan.uploads.size, mounted: plan.mounts.size, present: plan.present.length },
  };
}

function tagsOf({ registry, repository, item, tags }: Placement): readonly PushedTag[] {
  return tags.map((tag) => ({
    reference: printReference({ registry, repository, tag }),
    digest: item.root.digest,
  }));
}

/** Reads the tags that were written again: what the target says now is what the cluster will pull. */
async function confirm(
  placements: readonly Placement[],
  target: PushTarget,
  options: PushOptions,
): Promise<readonly PushedTag[]> {
  const one = async (placement: Placement): Promise<readonly PushedTag[]> => {
    const { repository, item, missingTags } = placement;
    for (const tag of missingTags)
      refuseOther(`${repository}:${tag}`, item.root.digest, await digestAt(target, repository, tag, options));
    return tagsOf(placement);
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

interface Run {
  readonly uploadBytes: ReadonlyMap<Placement, number>;
  readonly mountBytes: ReadonlyMap<Placement, number>;
  readonly target: PushTarget;
  readonly blobs: BlobTransfer;
  readonly manifestPlaces: LimitFunction;
  readonly sentManifests: Map<PlacementKey, Promise<void>>;
  readonly options: PushOptions;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Carries a plan out. The first failure aborts the rest, and nothing is left running behind it. */
async function carryOut(
  plan: PushPlan,
  source: PushSource,
  target: PushTarget,
  options: PushOptions,
): Promise<Omit<PushResult, "tags" | "present">> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  setMaxListeners(0, signal);
  const { concurrency = 8, manifestConcurrency = 2, now = Date.now, report = silent } = options;
  const manifestPlaces = pLimit(manifestConcurrency);
  let first: { readonly error: unknown } | undefined;
  const fail = (error: unknown): never => {
    first ??= { error };
    stop.abort(error);
    throw error;
  };
  const blobs = new BlobTransfer(plan, source, target, { concurrency, signal, now, fail });
  const run: Run = {
    uploadBytes: bytesByPlacement(plan.uploads.values()),
    mountBytes: bytesByPlacement(plan.mounts.values()),
    target,
    blobs,
    manifestPlaces,
    sentManifests: new Map(),
    options,
    report,
    signal,
  };
  await Promise.allSettled(plan.placements.map((placement) => place(placement, run).catch(fail)));
  if (first !== undefined) throw first.error;
  return blobs.result;
}

/** One item: its blobs, then manifests from the leaves up, then its tags, which is when it is finished. */
async function place(placement: Placement, run: Run): Promise<void> {
  const { item, repository, graph, missingTags, complete } = placement;
  const size = run.uploadBytes.get(placement) ?? 0;
  if (graph !== undefined && missingTags.length > 0) {
    const onBytes = (bytes: number): void => run.report({ type: "moved", phase: "push", name: item.name, bytes, size });
    if (!complete) await allSettled(graph.blobs.map((blob) => run.blobs.settle(repository, blob, onBytes)));
    const manifests = new ManifestTransfer({ repository, target: run.target }, graph, run.blobs, {
      signal: run.signal,
      pause: (round, signal) => delay((run.options.settleDelay ?? 2000) * 2 ** round, undefined, { signal }),
    });
    const root = graph.manifests.at(-1);
    if (!complete)
      for (const node of graph.manifests.slice(0, -1))
        await once(run.sentManifests, placementKey(repository, node.descriptor.digest), () =>
          run.manifestPlaces(() => manifests.putChild(node)),
        );
    for (const tag of missingTags)
      if (root !== undefined)
        await run.manifestPlaces(() => putTag(placement, tag, run, () => manifests.putRoot(root, tag)));
  }
  run.report({ type: "item", phase: "push", name: item.name, bytes: size, state: stateOf(placement, run) });
}

/** An immutable tag refuses even its own digest (docs/facts/harbor.md#policies): then it is as it should be. */
async function putTag(
  { repository, item }: Placement,
  tag: string,
  { target, options, signal }: Run,
  put: () => Promise<void>,
): Promise<void> {
  signal.throwIfAborted();
  try {
    await put();
  } catch (error) {
    if (!isFailure(error, "REGISTRY_REFUSED") || error.facts.status !== preconditionFailed) throw error;
    const { artifactDigest } = options;
    if ((await digestAt(target, repository, tag, { artifactDigest, signal })) !== item.root.digest) throw error;
  }
}

/** Waits for all, also when one fails: a place must not be given up while another blob of it still moves. */
async function allSettled(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function once(settled: Map<PlacementKey, Promise<void>>, key: PlacementKey, work: () => Promise<void>): Promise<void> {
  const known = settled.get(key) ?? work();
  settled.set(key, known);
  return known;
}

function stateOf(placement: Placement, { uploadBytes, mountBytes }: Run): "done" | "present" | "mounted" {
  if (placement.missingTags.length === 0) return "present";
  return (uploadBytes.get(placement) ?? 0) === 0 && (mountBytes.get(placement) ?? 0) > 0 ? "mounted" : "done";
}
