import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { silent, type Report } from "../../model/event.ts";
import { isFailure } from "../../model/failure.ts";
import { limiter, type Limiter } from "../../std/limiter.ts";
import { BlobTransfer } from "./blobs.ts";
import { ManifestTransfer } from "./manifests.ts";
import type { PlannedPlacement, PushPlan } from "./plan.ts";
import { spot, type Spot } from "./placement.ts";
import type { PushSource, PushTarget } from "./ports.ts";
import type { PushOptions, PushResult } from "./push.ts";
import { digestAt, preconditionFailed } from "./survey.ts";

interface Run {
  readonly target: PushTarget;
  readonly blobs: BlobTransfer;
  readonly manifestPlaces: Limiter;
  readonly sentManifests: Map<Spot, Promise<void>>;
  readonly options: PushOptions;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Carries a plan out. The first failure aborts the rest, and nothing is left running behind it. */
export async function transfer(
  plan: PushPlan,
  source: PushSource,
  target: PushTarget,
  options: PushOptions,
): Promise<Omit<PushResult, "tags" | "present">> {
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  setMaxListeners(0, signal);
  const { concurrency = 8, manifestConcurrency = 2, now = Date.now, report = silent } = options;
  const manifestPlaces = limiter(manifestConcurrency);
  let first: { readonly error: unknown } | undefined;
  const fail = (error: unknown): never => {
    first ??= { error };
    stop.abort(error);
    throw error;
  };
  const blobs = new BlobTransfer(plan, source, target, { concurrency, signal, now, fail });
  const run: Run = { target, blobs, manifestPlaces, sentManifests: new Map(), options, report, signal };
  await Promise.allSettled(plan.placements.map((placement) => place(placement, run).catch(fail)));
  if (first !== undefined) throw first.error;
  return blobs.result;
}

/** One item: its blobs, then manifests from the leaves up, then its tags, which is when it is finished. */
async function place(planned: PlannedPlacement, run: Run): Promise<void> {
  const { placement, graph, missingTags, complete, uploadBytes: size } = planned;
  const { item, repository } = placement;
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
        await once(run.sentManifests, spot(repository, node.descriptor.digest), () =>
          run.manifestPlaces(() => manifests.putChild(node)),
        );
    for (const tag of missingTags)
      if (root !== undefined)
        await run.manifestPlaces(() => putTag(planned, tag, run, () => manifests.putRoot(root, tag)));
  }
  run.report({ type: "item", phase: "push", name: item.name, bytes: size, state: stateOf(planned) });
}

/** An immutable tag refuses even its own digest (facts: harbor §4.3): then it is as it should be. */
async function putTag(
  { placement: { repository, item } }: PlannedPlacement,
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

function once(settled: Map<Spot, Promise<void>>, key: Spot, work: () => Promise<void>): Promise<void> {
  const known = settled.get(key) ?? work();
  settled.set(key, known);
  return known;
}

function stateOf({ missingTags, uploadBytes, mountBytes }: PlannedPlacement): "done" | "present" | "mounted" {
  if (missingTags.length === 0) return "present";
  return uploadBytes === 0 && mountBytes > 0 ? "mounted" : "done";
}
