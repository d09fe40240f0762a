import * as z from "zod";
import { blobPrefix, limits, type BundleDocument } from "../../model/bundle.ts";
import type { Digest } from "../../model/digest.ts";
import { Failure } from "../../model/failure.ts";
import { DigestText, NameText, Sha256Text } from "../../model/names.ts";
import { listOf } from "../../model/list-of.ts";
import { parseCarried } from "../../model/carried.ts";

/** What is carried back to the connected side: the digests to bring, from which `build --only` makes a patch. */
export const RepairRequest = z.strictObject({
  requestVersion: z.literal(1),
  /** sha256 of the damaged bundle's bundle.json. */
  bundle: Sha256Text,
  name: NameText,
  version: NameText,
  digests: listOf(DigestText, limits.entries),
});
export interface RepairRequest extends z.output<typeof RepairRequest> {}

/** Damaged files besides blobs need no request: every patch carries all of them. */
export function requestFor(
  { id, document }: { readonly id: string; readonly document: BundleDocument },
  damaged: Iterable<string>,
): RepairRequest {
  const blobs = [...damaged].filter((name) => name.startsWith(blobPrefix));
  const digests = blobs.map((name) => name.replace(blobPrefix, "sha256:") as Digest).sort();
  return { requestVersion: 1, bundle: id, name: document.name, version: document.version, digests };
}

/** @throws Failure CONFIG_INVALID */
export function parseRequest(text: string, file: string): RepairRequest {
  return parseCarried(text, file, RepairRequest);
}

/**
 * The `delta` of a patch bundle: everything but what was asked for stays with the damaged one.
 * @throws Failure CONTENT_MISSING when the lock does not have what was asked for: it is another bundle's request
 */
export function patchFor(
  request: RepairRequest,
  blobs: readonly Digest[],
): { readonly base: string; readonly absent: ReadonlySet<Digest> } {
  const wanted = new Set<Digest>(request.digests);
  const known = new Set(blobs);
  const unknown = request.digests.find((digest) => !known.has(digest));
  if (unknown !== undefined)
    throw new Failure("CONTENT_MISSING", { what: unknown, where: `${request.name} ${request.version}` });
  return { base: request.bundle, absent: new Set(blobs.filter((digest) => !wanted.has(digest))) };
}
