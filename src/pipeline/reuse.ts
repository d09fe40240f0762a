import { readSmall } from "../content/verified.ts";
import { isDigest } from "../model/digest.ts";
import { Failure, isFailure } from "../model/failure.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import type { SourceRepository } from "../stages/resolve/ports.ts";

/** A repository whose bytes come from earlier bundles where these have them; tags are still asked for where they live. */
export function reusing(source: SourceRepository, bundles: readonly Bundle[]): SourceRepository {
  return {
    fetch(descriptor, options) {
      const bundle = bundles.find((each) => each.hasBlob(descriptor.digest));
      return (bundle ?? source).fetch(descriptor, options);
    },
    async resolve(pointer, signal) {
      const bundle = bundles.find((each) => isDigest(pointer) && each.hasBlob(pointer));
      const descriptor = bundle?.document.blobs.find(({ digest }) => digest === pointer);
      if (bundle === undefined || descriptor === undefined) return source.resolve(pointer, signal);
      return { descriptor, bytes: await readSmall(bundle, descriptor, "bundle", undefined, signal) };
    },
  };
}

/** Wrong bytes that came out of an earlier bundle are that file's fault, not the registry's: says which. */
export function blameReused(error: unknown, bundles: readonly Bundle[]): unknown {
  if (!isFailure(error, "CONTENT_MISMATCH")) return error;
  const { what, wanted, got } = error.facts;
  const bundle = bundles.find((each) => isDigest(what) && each.hasBlob(what));
  if (bundle === undefined) return error;
  return new Failure(
    "CONTENT_MISMATCH",
    { what: `${what} (${bundle.source.name})`, wanted, got },
    { side: "bundle", cause: error },
  );
}
