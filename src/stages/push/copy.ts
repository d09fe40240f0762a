import pLimit from "p-limit";
import type { Graph } from "../../content/graph.ts";
import type { DescribedContent } from "../../content/store.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { isFailure } from "../../model/failure.ts";
import { parseManifest, successors } from "../../model/manifest.ts";
import { isManifest } from "../../model/media-type.ts";
import type { PushPlan } from "./plan.ts";
import type { PushSource, PushTarget, TargetRepository } from "./ports.ts";
import { placementKey, type PlacementKey } from "./survey.ts";

/**
 * Harbor's collector removes blobs that no manifest names after 2 h (docs/facts/harbor.md#bulk-pushes); being asked for
 * renews one.
 */
const staleAfter = 60 * 60 * 1000;

interface BlobOptions {
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Told of a failure while it still holds its place, so that the next in line does not begin. */
  readonly fail: (error: unknown) => never;
}

type OnBytes = (bytes: number) => void;

/** Carries out the plan's actions: every blob of every repository once, however many placements wait for it. */
export class BlobTransfer {
  readonly #plan: PushPlan;
  readonly #source: PushSource;
  readonly #target: PushTarget;
  readonly #options: BlobOptions;
  readonly #places: (work: () => Promise<void>) => Promise<void>;
  readonly #settled = new Map<PlacementKey, Promise<void>>();
  readonly #seenAt = new Map<PlacementKey, number>();
  readonly #sums = { uploaded: 0, mounted: 0, blobs: { uploaded: 0, mounted: 0 } };

  constructor(plan: PushPlan, source: PushSource, target: PushTarget, options: BlobOptions) {
    this.#plan = plan;
    this.#source = source;
    this.#target = target;
    this.#options = options;
    const places = pLimit(options.concurrency);
    this.#places = (work) => places(() => work().catch(options.fail));
    const start = options.now();
    for (const { placement, blob } of plan.present)
      this.#seenAt.set(placementKey(placement.repository, blob.digest), start);
  }

  get result(): { uploaded: number; mounted: number; blobs: { uploaded: number; mounted: number; present: number } } {
    return { ...this.#sums, blobs: { ...this.#sums.blobs, present: this.#plan.present.length } };
  }

  /** Resolves when the blob is in the repository. */
  settle(repository: string, blob: Descriptor, onBytes?: OnBytes): Promise<void> {
    const key = placementKey(repository, blob.digest);
    const known = this.#settled.get(key);
    if (known !== undefined) return known;
    const settling = this.#carry(repository, blob, onBytes);
    this.#settled.set(key, settling);
    return settling;
  }

  /** Asks again for blobs that were last seen too long ago, and sends what the collector took meanwhile. */
  async refresh(repository: string, blobs: readonly Descriptor[]): Promise<void> {
    const old = this.#options.now() - staleAfter;
    for (const blob of blobs) {
      const seen = this.#seenAt.get(placementKey(repository, blob.digest));
      if (seen !== undefined && seen <= old) await this.restore(repository, blob);
    }
  }

  /** Sends a blob when the registry has lost it, or in any case when the registry itself has said so. */
  async restore(repository: string, blob: Descriptor, saidMissing = false): Promise<void> {
    const there = this.#target.repository(repository);
    if (!saidMissing && (await there.has(blob, this.#options.signal))) this.#seen(repository, blob);
    else await this.#places(() => this.#upload(repository, blob));
  }

  async #carry(repository: string, blob: Descriptor, onBytes?: OnBytes): Promise<void> {
    const key = placementKey(repository, blob.digest);
    if (this.#plan.uploads.has(key)) return this.#places(() => this.#upload(repository, blob, undefined, onBytes));
    const mount = this.#plan.mounts.get(key);
    if (mount === undefined) return;
    // Waiting for its home takes no place, so uploads never wait for mounts.
    await this.settle(mount.from, blob);
    await this.#places(() => this.#mount(repository, blob, mount.from, onBytes));
  }

  async #mount(repository: string, blob: Descriptor, from: string, onBytes?: OnBytes): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const mounted = await this.#target.repository(repository).mount(blob, from, signal).catch(refusedMount);
    if (!mounted) return this.#upload(repository, blob, from, onBytes);
    this.#sums.mounted += blob.size;
    this.#sums.blobs.mounted += 1;
    this.#seen(repository, blob);
  }

  /** `from` has the blob too: for a delta that does not carry it. */
  async #upload(repository: string, blob: Descriptor, from?: string, onBytes?: OnBytes): Promise<void> {
    const { signal } = this.#options;
    signal.throwIfAborted();
    const carried = from === undefined || this.#source.hasBlob(blob.digest);
    const source = carried ? this.#source : this.#target.repository(from);
    const open = (offset: number): AsyncIterable<Uint8Array> => source.fetch(blob, { offset, signal });
    await this.#target.repository(repository).push(blob, open, { signal, ...(onBytes && { onBytes }) });
    this.#sums.uploaded += blob.size;
    this.#sums.blobs.uploaded += 1;
    this.#seen(repository, blob);
  }

  #seen(repository: string, blob: Descriptor): void {
    this.#seenAt.set(placementKey(repository, blob.digest), this.#options.now());
  }
}

/**
 * Harbor answers 401 to a mount whose source it does not let us read
 * (docs/facts/harbor.md#mount-without-a-right-is-401): then it is an upload.
 */
function refusedMount(error: unknown): boolean {
  if (isFailure(error, "REGISTRY_UNAUTHORIZED", "REGISTRY_NOT_FOUND", "REGISTRY_REFUSED")) return false;
  throw error;
}

/**
 * A registry with several replicas may not see for a moment what another replica stored
 * (docs/facts/harbor.md#bulk-pushes).
 */
const attempts = 4;

interface ManifestOptions {
  readonly signal: AbortSignal;
  /** Waits before a round after the first, counted from 0. */
  readonly pause: (round: number, signal: AbortSignal) => Promise<void>;
}

/** Puts manifests into one repository, and sends again what the registry says it does not have after all. */
export class ManifestTransfer {
  readonly #repository: string;
  readonly #graph: Graph;
  readonly #there: TargetRepository;
  readonly #blobs: BlobTransfer;
  readonly #options: ManifestOptions;

  constructor(
    where: { readonly repository: string; readonly target: PushTarget },
    graph: Graph,
    blobs: BlobTransfer,
    options: ManifestOptions,
  ) {
    this.#repository = where.repository;
    this.#there = where.target.repository(where.repository);
    this.#graph = graph;
    this.#blobs = blobs;
    this.#options = options;
  }

  /** By digest: a child, which needs no name. */
  putChild(node: DescribedContent): Promise<void> {
    const open = (offset: number): AsyncIterable<Uint8Array> => once(node.bytes.subarray(offset));
    return this.#put(node, () => this.#there.push(node.descriptor, open, { signal: this.#options.signal }));
  }

  /** By tag: one request stores the root and names it. */
  putRoot(node: DescribedContent, tag: string): Promise<void> {
    return this.#put(node, () => this.#there.tag(node.descriptor, node.bytes, tag, this.#options.signal));
  }

  async #put(node: DescribedContent, send: () => Promise<void>): Promise<void> {
    await this.#blobs.refresh(this.#repository, blobsOf(node));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await send();
        return;
      } catch (error) {
        const missing = missingContent(error);
        if (missing === undefined || attempt >= attempts) throw error;
        if (attempt > 1) await this.#options.pause(attempt - 2, this.#options.signal);
        await this.#restore(node, missing);
      }
    }
  }

  async #restore(node: DescribedContent, named: ReadonlySet<string>): Promise<void> {
    for (const blob of blobsOf(node)) await this.#blobs.restore(this.#repository, blob, named.has(blob.digest));
    const children = new Set<string>(successors(parse(node)).map(({ digest }) => digest));
    for (const child of this.#graph.manifests) if (children.has(child.descriptor.digest)) await this.putChild(child);
  }
}

/**
 * The digests that a refusal names; empty when it says that something is missing but not what. `undefined`: the refusal
 * is about something else. 404 is Harbor's word for a child that its database does not know
 * (docs/facts/harbor.md#manifest-put).
 */
function missingContent(error: unknown): ReadonlySet<string> | undefined {
  const refused = isFailure(error, "REGISTRY_REFUSED") && error.facts.answer.includes("BLOB_UNKNOWN");
  if (!refused && !isFailure(error, "REGISTRY_NOT_FOUND")) return undefined;
  return new Set(error.facts.answer.match(/sha256:[0-9a-f]{64}/g) ?? []);
}

function parse({ bytes, descriptor }: DescribedContent): ReturnType<typeof parseManifest> {
  return parseManifest(bytes, descriptor.mediaType);
}

function blobsOf(node: DescribedContent): ReturnType<typeof successors> {
  return successors(parse(node)).filter(({ mediaType }) => !isManifest(mediaType));
}

// eslint-disable-next-line @typescript-eslint/require-await -- memory is not asynchronous; the port is
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
