import { finding, type Finding } from "../../../model/finding.ts";
import { printBytes } from "../../../std/bytes.ts";
import { notAsked, repositoryIn, type Asking } from "../context.ts";

/** Enough to find nginx's default of 1 MiB and most that were chosen small, and quick on any link. */
const probeSize = 8 * 1024 ** 2;
/** The client cuts a blob into parts down to this; a proxy that refuses these too leaves no way. */
const smallestPart = 512 * 1024;

/** A proxy's body limit shows after gigabytes, or in a second here. Nothing is stored by it. */
export async function uploadQuestion(asking: Asking, project: string): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  const size = Math.min(probeSize, Math.max(input.largestBlob, 1));
  const repository = repositoryIn(input, project);
  const seen = await probe.tryUpload(repository, size, input.signal);
  if (seen.state === "taken") return [];
  // Why it was refused, the other questions say.
  if (seen.state === "refused") return [notAsked(asking, `upload ${project}`, `${seen.status}`)];
  const small = size <= smallestPart ? seen : await probe.tryUpload(repository, smallestPart, input.signal);
  const severity = small.state === "taken" ? "warning" : "error";
  return [finding(severity, "registry.body-limit", { host: input.host, size: printBytes(seen.size) })];
}
