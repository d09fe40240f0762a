import pMap from "p-map";
import { finding, type Finding, type RegistryKind } from "../../../model/finding.ts";
import { printReference, type Reference } from "../../../model/reference.ts";
import { printBytes } from "../../../std/bytes.ts";
import { repositoryIn, notAsked, type Asking } from "../context.ts";
import type { Greeting, UploadSeen } from "../ports.ts";

/**
 * Wrong credentials look like missing rights everywhere else: Harbor gives 200 and an empty token
 * (docs/facts/harbor.md#wrong-password-is-200). Asked first, once, and not at the same time: a directory behind the
 * registry counts what is wrong.
 */
export async function credentialsQuestion(
  { input, probe, realm }: Asking,
  { status }: Pick<Greeting, "status">,
): Promise<readonly Finding[]> {
  const { host, pull, signal } = input;
  const push = await probe.credentials(signal);
  // Without a token service there is nothing that says what a stranger holds: what greets with 401 lets nobody in.
  if (push.state === "none" && status === 401 && realm === undefined)
    return [finding("error", "registry.login-wanted", { host })];
  const pulls = await pull?.credentials(signal);
  const wrong = [push, pulls].flatMap((seen) => (seen?.state === "wrong" ? [seen.as] : []));
  return [...new Set(wrong)].map((as) => finding("error", "registry.credentials-wrong", { host, as }));
}

/** Who pulls for the cluster is never silently somebody else than who was meant to. */
export function robotQuestion({ input }: Asking, kind: RegistryKind): readonly Finding[] {
  const { host, as, pull, robot } = input;
  if (robot === true) return kind === "harbor" ? [] : [finding("error", "registry.robot-impossible", { host })];
  return pull !== undefined && pull.as === as && as !== "anonymous"
    ? [finding("warning", "registry.pull-as-push", { host, as })]
    : [];
}

/** Reads what the token really holds: nothing in the answer says that it was given less than was asked for. */
export async function pushQuestion({ input, probe }: Asking, project: string): Promise<readonly Finding[]> {
  const { host, as, signal } = input;
  const held = await probe.grants(repositoryIn(input, project), signal);
  if (held === undefined || held.includes("push")) return [];
  return [finding("error", "registry.no-push", { host, project, as, holds: held.join(",") || "-" })];
}

export async function pullQuestion({ input }: Asking, project: string): Promise<readonly Finding[]> {
  const { host, pull, signal } = input;
  if (pull === undefined || (await pull.credentials(signal)).state === "wrong") return [];
  const held = await pull.grants(repositoryIn(input, project), signal);
  if (held === undefined || held.includes("pull")) return [];
  return [finding("error", "registry.no-pull", { host, project, as: pull.as, answer: held.join(",") || "-" })];
}

export async function readOnlyQuestion(asking: Asking): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  const { readOnly } = await probe.harbor.systemInfo(input.signal);
  if (readOnly === undefined) return [notAsked(asking, { question: "read-only" }, "systeminfo")];
  return readOnly ? [finding("error", "registry.read-only", { host: input.host })] : [];
}

export async function healthQuestion({ input, probe }: Asking): Promise<readonly Finding[]> {
  const components = await probe.harbor.unhealthyComponents(input.signal);
  if (components.length === 0) return [];
  return [finding("error", "registry.unhealthy", { host: input.host, components: components.join(", ") })];
}

/** Whether the project is there, ours to push to, and one that the cluster can pull from. */
export async function projectQuestion(asking: Asking, project: string): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  const { host, signal } = input;
  const seen = await probe.harbor.project(project, signal);
  if (seen === "hidden") return [notAsked(asking, { question: "project", project }, "403")];
  if (seen === "missing") return [await missing(asking, project)];
  return [
    ...(seen.isProxy ? [finding("error", "registry.project-proxy", { host, project })] : []),
    ...(!seen.isPublic && input.pull === undefined
      ? [finding("error", "registry.project-private", { host, project })]
      : []),
    ...seen.pullPolicies.map((policy) => finding("warning", "registry.pull-policy", { host, project, policy })),
  ];
}

async function missing({ input, probe }: Asking, project: string): Promise<Finding> {
  const { creation = "unknown" } = await probe.harbor.systemInfo(input.signal);
  const { host, createProject, as } = input;
  if (!createProject) return finding("error", "registry.project-missing", { host, project, creation });
  // Administrators may create where others may not. A robot that may cannot be told from one that may not.
  const isAdmin = creation === "adminonly" ? await probe.harbor.isAdmin(input.signal) : true;
  if (isAdmin === true) return finding("note", "registry.project-to-create", { host, project });
  return finding(isAdmin === false ? "error" : "warning", "registry.project-not-ours", { host, project, as });
}

export async function quotaQuestion(asking: Asking, project: string): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  const quota = await probe.harbor.quota(project, input.signal);
  if (quota === undefined) return [notAsked(asking, { question: "quota", project }, "403")];
  if (quota.hard < 0) return [];
  const free = Math.max(0, quota.hard - quota.used);
  const counted = input.missing?.get(project);
  const needed = counted ?? wholeOf(asking, project);
  if (needed <= free) return [];
  const facts = { host: input.host, project, free: printBytes(free), needed: printBytes(needed) };
  // Without the plan of the push this is an upper bound: what is there already would not be sent again.
  return [finding(counted === undefined ? "warning" : "error", "registry.quota-short", facts)];
}

function wholeOf({ input: { mapped } }: Asking, project: string): number {
  const inProject = mapped.filter(({ targets }) =>
    targets.some(({ repository }) => repository.startsWith(`${project}/`)),
  );
  return inProject.reduce((sum, { item }) => sum + item.bytes, 0);
}

/** Round trips are all that these cost; 16 is what the push uses, too. */
const questionsAtOnce = 16;

/**
 * A tag that points elsewhere and may not be moved stops the push in its middle: 412 (docs/facts/harbor.md#policies).
 */
export async function immutableQuestion(asking: Asking, project: string): Promise<readonly Finding[]> {
  const { input, probe } = asking;
  if ((await probe.harbor.immutableRules(project, input.signal)) === 0) return [];
  const tags = input.mapped.flatMap(({ item, targets }) =>
    targets
      .filter(({ repository }) => repository.startsWith(`${project}/`))
      .map((target) => ({ target, wanted: item.root.digest })),
  );
  const found = await pMap(tags, (each) => guardedTag(asking, each), { concurrency: questionsAtOnce });
  return found.flat();
}

async function guardedTag(
  { input, probe }: Asking,
  { target, wanted }: { readonly target: Reference; readonly wanted: string },
): Promise<readonly Finding[]> {
  const { repository, tag = "latest" } = target;
  const artifact = await probe.harbor.artifact(repository, tag, input.signal);
  if (artifact === undefined) return [];
  const has = artifact === "hidden" ? await probe.tag(repository, tag, input.signal) : artifact.digest;
  if (has === undefined || has === "hidden" || has === wanted) return [];
  // Without the right to see which tag is guarded, one that would be moved is only suspected.
  const severity = artifact === "hidden" ? "warning" : artifact.immutableTags.includes(tag) ? "error" : undefined;
  if (severity === undefined) return [];
  return [
    finding(severity, "registry.tag-immutable", { host: input.host, reference: printReference(target), has, wanted }),
  ];
}

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
