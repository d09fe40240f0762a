import { DiskSource } from "../../edge/disk/disk-source.ts";
import { hashRanges } from "../../edge/disk/hash-ranges.ts";
import type { Bundle } from "../../stages/bundle/open.ts";
import { verifyBundle, type VerifyResult } from "../../stages/verify/verify.ts";
import type { Context } from "../context.ts";

/** Hashes a bundle on all cores; the blocks of volumes tell where in a volume the damage is. */
export async function verifyWhole(
  bundle: Bundle,
  options: { readonly quick: boolean },
  { signal, reporter }: Context,
): Promise<VerifyResult> {
  const { source } = bundle;
  return verifyBundle(
    bundle,
    {
      hashRanges: (ranges, onBytes) => hashRanges(source, ranges, { onBytes, signal }),
      ...(source instanceof DiskSource ? { blocks: source.blocks } : {}),
    },
    { quick: options.quick, signal, report: reporter.report },
  );
}
