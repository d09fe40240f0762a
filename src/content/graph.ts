import type { Descriptor } from "../model/descriptor.ts";
import type { Digest } from "../model/digest.ts";
import { Failure, type Side } from "../model/failure.ts";
import { parseManifest, successors } from "../model/manifest.ts";
import { isManifest } from "../model/media-type.ts";
import type { DescribedContent, Fetcher } from "./store.ts";
import { readSmall } from "./verified.ts";

/** Everything below a root: each digest once, children before parents, in an order that the content alone decides. */
export interface Graph {
  readonly root: Descriptor;
  readonly manifests: readonly DescribedContent[];
  /** Blobs that are no manifests: configs and layers, in the order of first mention. */
  readonly blobs: readonly Descriptor[];
}

/** An index may hold indexes; deeper than this nobody builds, and a hostile one must end. */
export const maxGraphDepth = 4;

/**
 * Bytes of all manifests of one graph, which are held at once. An index of twenty platforms with their attestations is
 * half a MiB; a hostile one of full manifests would be gigabytes.
 */
const maxGraphSize = 64 * 1024 ** 2;

/** To be told of each manifest below `root` before it is read. It throws MANIFEST_INVALID when together they are too large. */
export function manifestsCounted(root: Descriptor, side: Side): (next: Pick<Descriptor, "size">) => void {
  let sum = 0;
  return ({ size }) => {
    sum += size;
    if (sum <= maxGraphSize) return;
    throw new Failure("MANIFEST_INVALID", { what: root.digest, why: `manifests > ${maxGraphSize} B` }, { side });
  };
}

/**
 * Reads the manifests below `root` (verified; they are small) and lists what they name.
 * @throws Failure MANIFEST_INVALID for a graph that is too deep or too large, or names one digest with two sizes
 */
export async function readGraph(from: Fetcher, root: Descriptor, side: Side, signal?: AbortSignal): Promise<Graph> {
  const manifests = new Map<Digest, DescribedContent>();
  const blobs = new Map<Digest, Descriptor>();
  const count = manifestsCounted(root, side);
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (manifests.has(descriptor.digest)) return;
    if (depth > maxGraphDepth)
      throw new Failure("MANIFEST_INVALID", { what: root.digest, why: `depth > ${maxGraphDepth}` }, { side });
    count(descriptor);
    const bytes = await readSmall(from, descriptor, side, signal);
    for (const child of successors(parseManifest(bytes, descriptor.mediaType))) {
      if (isManifest(child.mediaType)) await visit(child, depth + 1);
      else addBlob(blobs, child, side);
    }
    manifests.set(descriptor.digest, { descriptor, bytes });
  };
  await visit(root, 0);
  return { root, manifests: [...manifests.values()], blobs: [...blobs.values()] };
}

function addBlob(blobs: Map<Digest, Descriptor>, child: Descriptor, side: Side): void {
  const known = blobs.get(child.digest);
  if (known !== undefined && known.size !== child.size) {
    throw new Failure("MANIFEST_INVALID", { what: child.digest, why: `size ${known.size} / ${child.size}` }, { side });
  }
  if (known === undefined) blobs.set(child.digest, child);
}
