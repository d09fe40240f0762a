import { finding, type Finding } from "../../../model/finding.ts";
import { printBytes } from "../../../std/bytes.ts";
import { notAsked, type Asking } from "../context.ts";

/** There, ours to push to, and such that the cluster can pull from it. */
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
