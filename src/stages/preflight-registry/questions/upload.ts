import { finding, type Finding } from "../../../model/finding.ts";
import { printBytes } from "../../../std/bytes.ts";
import { notAsked, repositoryIn, type Asking } from "../context.ts";

/** Enough to find nginx's default of 1 MiB and most that were chosen small, and quick on any link. */
const probeSize = 8 * 1024 ** 2;
/** The client cuts a blob into parts down to this; a proxy that refuses these too leaves no way. */
const smallestPart = 512 * 1024;

/**
 * A proxy's body limit shows after gigabytes, or in a second here. Nothing is stored by it. The proxy stands before all
 * projects, so the first one that takes uploads answers for them.
 */
export async function uploadQuestion(asking: Asking, projects: readonly string[]): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  const size = Math.min(probeSize, Math.max(input.largestBlob, 1));
  let refused: number | undefined;
  for (const project of projects) {
    const repository = repositoryIn(input, project);
    const seen = await probe.tryUpload(repository, size, input.signal);
    if (seen.state === "taken") return [];
    if (seen.state === "too-large") return [await limited(asking, repository, seen.size)];
    refused ??= seen.status;
  }
  // Why it was refused, the other questions say.
  return refused === undefined ? [] : [notAsked(asking, { question: "upload" }, `${refused}`)];
}

async function limited({ input, probe }: Asking, repository: string, size: number): Promise<Finding> {
  const parts = size <= smallestPart ? undefined : await probe.tryUpload(repository, smallestPart, input.signal);
  const severity = parts?.state === "taken" ? "warning" : "error";
  return finding(severity, "registry.body-limit", { host: input.host, size: printBytes(size) });
}
