import { readChart } from "../../edge/charts/read.ts";
import { DiskSource } from "../../edge/disk/disk-source.ts";
import { hashRanges } from "../../edge/disk/hash-ranges.ts";
import { parseRelocationMap } from "../../edge/files/config.ts";
import type { Finding } from "../../model/finding.ts";
import { wrongDocuments } from "../../stages/documents/documents.ts";
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
  const verified = await verifyBundle(
    bundle,
    {
      hashRanges: (ranges, onBytes) => hashRanges(source, ranges, { onBytes, signal }),
      ...(source instanceof DiskSource ? { blocks: source.blocks } : {}),
    },
    { quick: options.quick, signal, report: reporter.report },
  );
  const documents = await documentFindings(bundle, new Set(verified.damaged));
  return { ...verified, findings: [...verified.findings, ...documents] };
}

/** What is wrong in the documents of a bundle; `damaged` are those whose bytes are. */
export function documentFindings(
  bundle: Bundle,
  damaged: ReadonlySet<string> = new Set(),
): Promise<readonly Finding[]> {
  return wrongDocuments(bundle, { readChart, parseRelocation: parseRelocationMap }, damaged);
}
