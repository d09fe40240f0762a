import { finding, type Finding } from "../../../model/finding.ts";
import { repositoryIn, type Asking } from "../context.ts";

/** Wrong credentials look like missing rights everywhere else: Harbor gives 200 and an empty token (facts: harbor §0.5). */
export async function credentialsQuestion({ input, probe }: Asking): Promise<readonly Finding[]> {
  const { host, pull, signal } = input;
  const [push, pulls] = await Promise.all([probe.credentials(signal), pull?.credentials(signal)]);
  return [
    ...(push.state === "wrong" ? [finding("error", "registry.credentials-wrong", { host, as: push.as })] : []),
    ...(pulls?.state === "wrong" && pulls.as !== input.as
      ? [finding("error", "registry.credentials-wrong", { host, as: pulls.as })]
      : []),
  ];
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
  if (pull === undefined) return [];
  const held = await pull.grants(repositoryIn(input, project), signal);
  if (held === undefined || held.includes("pull")) return [];
  return [finding("error", "registry.no-pull", { host, project, as: pull.as, answer: held.join(",") || "-" })];
}
