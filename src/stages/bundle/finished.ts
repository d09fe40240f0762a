import { createHash } from "node:crypto";
import type { RandomAccess } from "../../content/store.ts";
import { Entry } from "../../model/bundle.ts";
import type { BundlePlan, Segment } from "./plan.ts";
import type { BundleOutput, PackInput } from "./ports.ts";

/**
 * Whether the bundle of this plan stands there already, whole: a run that was killed between giving out the name and
 * saying so had ended its work. All of it is read; what is another bundle shows in the first few KiB.
 */
export async function isFinished(
  plan: BundlePlan,
  { isSigned }: Pick<PackInput, "isSigned">,
  output: BundleOutput,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  await using there = await output.finished(plan.size);
  if (there === undefined) return false;
  const signature = plan.entries.find(({ name }) => name === Entry.signature);
  if (signature !== undefined) {
    const stands = await there.read(signature.offset, signature.size);
    if (isSigned?.(plan.sums, stands) !== true) return false;
  }
  for (const segment of plan.segments) if (!(await stands(segment, there, signature, signal))) return false;
  return true;
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

async function stands(
  segment: Segment,
  there: RandomAccess,
  signature: Place | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (segment.kind === "stream") {
    const { entry, offset } = segment;
    if (!(await there.read(offset, entry.header.byteLength)).equals(entry.header)) return false;
    const hash = createHash("sha256");
    for await (const chunk of there.stream(entry.offset, entry.size, signal)) hash.update(chunk);
    return hash.digest("hex") === entry.sha256;
  }
  let at = segment.offset;
  for (const chunk of segment.chunks) {
    const found = at === signature?.offset || (await there.read(at, chunk.byteLength)).equals(chunk);
    if (!found) return false;
    at += chunk.byteLength;
  }
  return true;
}
