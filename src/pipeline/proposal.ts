import { installPhases, type NoteEvent } from "../model/event.ts";
import { isFailure } from "../model/failure.ts";
import type { HelmPort } from "../model/helm.ts";
import type { InstallPlan } from "./install-plan.ts";

/** What an install is about to do, in a few lines: each release with what stands there, what is carried, and the phases. */
export async function proposal(
  plan: InstallPlan,
  skip: ReadonlySet<string>,
  helm: Pick<HelmPort, "metadata">,
  signal: AbortSignal,
): Promise<readonly NoteEvent[]> {
  const releases: NoteEvent[] = [];
  for (const { release, namespace, name, version } of plan.charts) {
    const from = await standing(release, namespace, helm, signal);
    releases.push({ type: "note", text: "plan-release", facts: { release, from, to: `${name} ${version}` } });
  }
  const count = (kind: string): number => plan.mapped.filter(({ item }) => item.kind === kind).length;
  return [
    ...releases,
    {
      type: "note",
      text: "plan-push",
      facts: { images: count("image"), plugins: count("plugin"), prefix: plan.prefix },
    },
    {
      type: "note",
      text: "plan-phases",
      facts: { phases: installPhases.filter((phase) => !skip.has(phase)).join(" > ") },
    },
  ];
}

/** `""` when there is none. That helm cannot be asked is for preflight to say, with all else that is wrong. */
async function standing(
  release: string,
  namespace: string,
  helm: Pick<HelmPort, "metadata">,
  signal: AbortSignal,
): Promise<string> {
  try {
    const found = await helm.metadata(release, namespace, { signal });
    return found === undefined ? "" : `${found.chart} ${found.version} (#${found.revision}, ${found.status})`;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return "?";
  }
}
