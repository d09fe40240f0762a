import type { Bundle } from "../content/open-bundle.ts";
import { isFailure } from "../model/failure.ts";
import { projectOf, projectsOf, type Mapped } from "../model/relocation.ts";
import type { Site } from "../model/site.ts";
import { bytesByProject, planPush } from "../stages/push/plan.ts";
import type { PushSource, PushTarget } from "../stages/push/ports.ts";
import { pushItems, type PushOptions, type PushResult } from "../stages/push/push.ts";
import { parseBytes } from "../std/bytes.ts";
import type { InstallPlan } from "./install-plan.ts";

/** Harbor's own API, as far as projects need it; the edge's client fits. */
interface HarborProjects {
  project(name: string, signal?: AbortSignal): Promise<{ readonly id: number } | "missing" | "hidden">;
  createProject(
    project: {
      readonly name: string;
      readonly isPublic: boolean;
      readonly storageLimit?: number | undefined;
    },
    signal?: AbortSignal,
  ): Promise<boolean>;
}

export interface PushPorts {
  readonly target: PushTarget;
  /** What only a Harbor's API tells. */
  readonly pushOptions: Pick<PushOptions, "state" | "artifactDigest" | "harborVersion">;
  /**
   * `undefined` when what answers is no Harbor.
   * @throws Failure REGISTRY_* when nobody answered who could say
   */
  harbor(): HarborProjects | undefined;
}

/** A bundle, or what one would be made of. */
type PushedContent = PushSource & { readonly document: Pick<Bundle["document"], "delta"> };

/**
 * Makes the projects when the site asks for it and the registry is a Harbor, and sends what the plan maps. A dry run asks
 * and counts.
 */
export async function push(
  { site, plan, content }: { readonly site: Site; readonly plan: InstallPlan; readonly content: PushedContent },
  ports: PushPorts,
  options: Pick<PushOptions, "concurrency" | "dryRun" | "signal" | "report">,
): Promise<PushResult> {
  const newProjects = await prepareProjects(site, plan, ports, options);
  return pushItems(plan.mapped, content, ports.target, {
    ...ports.pushOptions,
    ...options,
    newProjects,
    base: content.document.delta?.base,
  });
}

/** That a project is there already is success. @returns projects that are missing and that a dry run does not make */
async function prepareProjects(
  { registry: { createProject } }: Site,
  plan: InstallPlan,
  ports: PushPorts,
  { dryRun = false, signal }: Pick<PushOptions, "dryRun" | "signal">,
): Promise<ReadonlySet<string>> {
  const harbor = ports.harbor();
  const missing = new Set<string>();
  if (createProject === undefined || harbor === undefined) return missing;
  const storageLimit = createProject.storageLimit === undefined ? undefined : parseBytes(createProject.storageLimit);
  for (const name of projectsOf(plan.mapped))
    if (!dryRun) await harbor.createProject({ name, isPublic: createProject.public, storageLimit }, signal);
    else if ((await harbor.project(name, signal)) === "missing") missing.add(name);
  return missing;
}

/**
 * Bytes that a push would add, by project, and the projects where all is in its place. A project that cannot be asked is
 * left out: the questions of the preflight say why. Each project is planned alone, so a blob counts also when another
 * project has it and it could be mounted.
 */
export async function planByProject(
  { plan, bundle }: { readonly plan: InstallPlan; readonly bundle: PushSource },
  { target, pushOptions, signal }: Pick<PushPorts, "target" | "pushOptions"> & { readonly signal: AbortSignal },
): Promise<{ readonly missing: ReadonlyMap<string, number>; readonly settled: ReadonlySet<string> }> {
  const { artifactDigest } = pushOptions;
  const options = { signal, ...(artifactDigest === undefined ? {} : { artifactDigest }) };
  const missing = new Map<string, number>();
  const settled = new Set<string>();
  for (const [project, mapped] of byProject(plan.mapped)) {
    try {
      const push = await planPush(mapped, bundle, target, options);
      missing.set(project, bytesByProject(push).get(project) ?? 0);
      if (push.placements.every(({ complete, missingTags }) => complete && missingTags.length === 0))
        settled.add(project);
    } catch (error) {
      signal.throwIfAborted();
      if (!isFailure(error)) throw error;
    }
  }
  return { missing, settled };
}

function byProject(mapped: readonly Mapped[]): ReadonlyMap<string, readonly Mapped[]> {
  return new Map(
    [...projectsOf(mapped)].map((name) => [
      name,
      mapped
        .map((each) => ({ ...each, targets: each.targets.filter(({ repository }) => projectOf(repository) === name) }))
        .filter(({ targets }) => targets.length > 0),
    ]),
  );
}
