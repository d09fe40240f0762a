import { finding, type Finding, type RegistryKind } from "../../../model/finding.ts";
import { repositoryIn, type Asking } from "../context.ts";

/**
 * Wrong credentials look like missing rights everywhere else: Harbor gives 200 and an empty token
 * (docs/facts/harbor.md#wrong-password-is-200). Asked first, once, and not at the same time: a directory behind the
 * registry counts what is wrong.
 */
export async function credentialsQuestion({ input, probe }: Asking): Promise<readonly Finding[]> {
  const { host, pull, signal } = input;
  const push = await probe.credentials(signal);
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
