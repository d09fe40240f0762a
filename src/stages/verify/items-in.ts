import type { Extent, RandomAccess } from "../../content/store.ts";
import { blobPrefix, BundleDocument, Entry, limits } from "../../model/bundle.ts";
import { hexOf, type Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { JsonError, parseBounded } from "../../std/bounded-json.ts";
import { decodeHeader, tarBlock, tarPadding } from "../../std/ustar.ts";
import { readContents } from "./contents.ts";
import type { VerifiedBundle } from "./ports.ts";

/**
 * Which items have something in a stretch that cannot be read. The headers in it are gone too, but blobs come last and
 * their sizes are in bundle.json: counted back from the end, every place is known. Without bundle.json nothing is.
 */
export async function itemsIn(source: RandomAccess, hole: Extent): Promise<readonly string[]> {
  const document = await readDocument(source);
  if (document === undefined) return [];
  const entries = placesOf(document, source.size);
  const contents = await readContents(unchecked(source, document, entries));
  const end = hole.offset + hole.size;
  const hit = contents.needed.filter((digest) => {
    const place = entries.get(blobPrefix + hexOf(digest));
    return place !== undefined && place.offset < end && place.offset + place.size > hole.offset;
  });
  return [...contents.itemsOf(hit)].sort();
}

/** The second entry of every bundle. */
async function readDocument(source: RandomAccess): Promise<BundleDocument | undefined> {
  try {
    const layout = decodeHeader(await source.read(0, tarBlock));
    if ("wrong" in layout) return undefined;
    const at = tarBlock + layout.size + tarPadding(layout.size);
    const header = decodeHeader(await source.read(at, tarBlock));
    if ("wrong" in header || header.name !== Entry.bundle || header.size > limits.smallFile) return undefined;
    const bytes = await source.read(at + tarBlock, header.size);
    return BundleDocument.safeParse(parseBounded(bytes)).data;
  } catch (error) {
    if (error instanceof Failure || error instanceof JsonError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function placesOf({ blobs, delta }: BundleDocument, size: number): ReadonlyMap<string, Extent> {
  const absent = new Set(delta?.absent);
  const places = new Map<string, Extent>();
  let end = size - 2 * tarBlock;
  for (const blob of blobs.filter(({ digest }) => !absent.has(digest)).reverse()) {
    const offset = end - tarPadding(blob.size) - blob.size;
    if (offset >= tarBlock) places.set(blobPrefix + hexOf(blob.digest), { offset, size: blob.size });
    end = offset - tarBlock;
  }
  return places;
}

/** Good enough to walk the manifests that are left; each is verified when it is read. */
function unchecked(
  source: RandomAccess,
  document: BundleDocument,
  entries: ReadonlyMap<string, Extent>,
): VerifiedBundle {
  const missing = (digest: Digest): Failure =>
    new Failure("FILE_UNREADABLE", { path: source.name, reason: `${digest} ENOENT` });
  return {
    source,
    document,
    id: "",
    entries,
    sums: new Map(),
    readFile: () => Promise.reject(new Failure("FILE_MISSING", { path: source.name })),
    async *fetch({ digest }) {
      const place = entries.get(blobPrefix + hexOf(digest));
      // bundle.json may claim any size: no more is read than a manifest may have.
      if (place === undefined || place.size > limits.smallFile) throw missing(digest);
      yield await source.read(place.offset, place.size);
    },
  };
}
