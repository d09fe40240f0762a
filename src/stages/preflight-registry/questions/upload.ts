import { finding, type Finding } from "../../../model/finding.ts";
import { printBytes } from "../../../std/bytes.ts";
import { notAsked, repositoryIn, type Asking } from "../context.ts";
import type { UploadSeen } from "../ports.ts";

/** Enough to find nginx's default of 1 MiB and most that were chosen small, and quick on any link. */
const probeSize = 8 * 1024 ** 2;
/** The client cuts a blob into parts down to this; a proxy that refuses these too leaves no way. */
const smallestPart = 512 * 1024;

/**
 * A proxy's body limit shows after gigabytes, or in a second here. Nothing is stored by it. The proxy stands before all
 * projects, so the first one that takes uploads answers for them; but where no token says what it holds, only the try
 * tells of each project whether it may be pushed to.
 */
export async function uploadQuestion(asking: Asking, projects: readonly string[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const project of projects) {
    const { seen, found } = await tryOne(asking, project);
    if (seen.state !== "refused") return found;
    findings.push(...found);
  }
  // Why it was refused, the other questions say.
  return findings.slice(0, 1);
}

/** As `uploadQuestion`, of each project: elsewhere than on Harbor the try is the only answer there is. */
export async function writeQuestion(asking: Asking, project: string): Promise<readonly Finding[]> {
  const { seen, found } = await tryOne(asking, project);
  const { host, as } = asking.input;
  if (seen.state !== "refused") return found;
  // The reference implementation with storage.maintenance.readonly.
  if (seen.status === 405) return [finding("error", "registry.read-only", { host })];
  if (seen.status !== 401 && seen.status !== 403) return found;
  return [finding("error", "registry.no-push", { host, project, as, holds: "-" })];
}

async function tryOne(
  asking: Asking,
  project: string,
): Promise<{ readonly seen: UploadSeen; readonly found: readonly Finding[] }> {
  const { input, probe } = asking;
  const repository = repositoryIn(input, project);
  const size = Math.min(probeSize, Math.max(input.largestBlob, 1));
  const seen = await probe.tryUpload(repository, size, input.signal);
  if (seen.state === "taken") return { seen, found: [] };
  if (seen.state === "too-large") return { seen, found: [await limited(asking, repository, seen.size)] };
  return { seen, found: [refusedUpload(asking, project, seen)] };
}

/** A refusal for want of rights, quota or the like is another question's finding; any other status is a fault of its own. */
function refusedUpload(
  asking: Asking,
  project: string,
  { status, answer }: Extract<UploadSeen, { readonly state: "refused" }>,
): Finding {
  if ([401, 403, 405].includes(status)) return notAsked(asking, { question: "upload", project }, `${status}`);
  const subject = `${asking.input.host}/${project}`;
  return finding("error", "registry.unanswered", { subject, question: "upload", reason: `${status} ${answer}` });
}

async function limited({ input, probe }: Asking, repository: string, size: number): Promise<Finding> {
  const parts = size <= smallestPart ? undefined : await probe.tryUpload(repository, smallestPart, input.signal);
  const severity = parts?.state === "taken" ? "warning" : "error";
  return finding(severity, "registry.body-limit", { host: input.host, size: printBytes(size) });
}
