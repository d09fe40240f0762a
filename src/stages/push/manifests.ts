import type { Graph, ManifestNode } from "../../content/graph.ts";
import { isFailure } from "../../model/failure.ts";
import { parseManifest, successors } from "../../model/manifest.ts";
import { isManifest } from "../../model/media-type.ts";
import type { BlobTransfer } from "./blobs.ts";
import type { PushTarget, TargetRepository } from "./ports.ts";

/**
 * A registry with several replicas may not see for a moment what another replica stored
 * (docs/facts/harbor.md#bulk-pushes).
 */
const attempts = 4;

export interface ManifestOptions {
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
  putChild(node: ManifestNode): Promise<void> {
    const open = (offset: number): AsyncIterable<Uint8Array> => once(node.bytes.subarray(offset));
    return this.#put(node, () => this.#there.push(node.descriptor, open, { signal: this.#options.signal }));
  }

  /** By tag: one request stores the root and names it. */
  putRoot(node: ManifestNode, tag: string): Promise<void> {
    return this.#put(node, () => this.#there.tag(node.descriptor, node.bytes, tag, this.#options.signal));
  }

  async #put(node: ManifestNode, send: () => Promise<void>): Promise<void> {
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

  async #restore(node: ManifestNode, named: ReadonlySet<string>): Promise<void> {
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

function parse({ bytes, descriptor }: ManifestNode): ReturnType<typeof parseManifest> {
  return parseManifest(bytes, descriptor.mediaType);
}

function blobsOf(node: ManifestNode): ReturnType<typeof successors> {
  return successors(parse(node)).filter(({ mediaType }) => !isManifest(mediaType));
}

// eslint-disable-next-line @typescript-eslint/require-await -- memory is not asynchronous; the port is
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
