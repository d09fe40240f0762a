import type { Phase } from "../model/event.ts";
import type { OwnValues, RelocationMap } from "../model/relocation.ts";
import { isManifest } from "../model/media-type.ts";
import type { Site } from "../model/site.ts";
import { planBundle, plannedContent } from "../stages/bundle/plan.ts";
import type { PackInput } from "../stages/bundle/ports.ts";
import type { PushResult } from "../stages/push/push.ts";
import { packPlanned, planBuild, planningPhases, type BuildResult } from "./build.ts";
import type { BuildInput, BuildOptions, BuildPorts } from "./build-ports.ts";
import { planInstall, type InstallPlan } from "./install-plan.ts";
import { push, type PushPorts } from "./push.ts";
import { inMemory } from "./rehearsal.ts";

export interface MirrorPorts extends BuildPorts, PushPorts {
  readonly parseRelocation: (text: string, file: string) => RelocationMap;
  readonly userValues: readonly OwnValues[];
}

/**
 * For a host that sees both sides: the plan of a build, with all that it proves, goes from its sources into the registry
 * of the site, as `push` would put it. No blob touches the disk.
 * @returns for a dry run, the size of the bundle that would be written
 */
export async function mirror(
  input: BuildInput,
  site: Site,
  ports: MirrorPorts,
  options: BuildOptions & { readonly dryRun: boolean },
): Promise<{
  readonly plan: InstallPlan;
  readonly pushed: PushResult;
  readonly bundle: BuildResult | { readonly size: number };
}> {
  options.report({ type: "job", phases: [...planningPhases(input), "push", ...(options.dryRun ? [] : written)] });
  const planned = await planBuild(input, ports, options);
  const { lock, files } = planned;
  const plan = await planInstall(inMemory({ items: lock.items, version: lock.version, files }), site, ports);
  const { report, signal, concurrency, dryRun } = options;
  report({ type: "phase", phase: "push", state: "started" });
  const content = { document: {}, ...plannedContent(planned) };
  const pushed = await push({ site, plan, content }, ports, { dryRun, concurrency, signal, report });
  report({ type: "phase", phase: "push", state: "done" });
  const delta = withoutContent(planned, plan.prefix);
  const bundle = dryRun ? { size: planBundle(delta).size } : await packPlanned(delta, ports, options);
  return { plan, pushed, bundle };
}

/** What a dry run leaves out. */
const written: readonly Phase[] = ["pack"];

/** What `install` needs besides the registry: a delta on what was pushed. Manifests stay in it, for who looks at it. */
function withoutContent(planned: PackInput, base: string): PackInput {
  const content = planned.blobs.filter(({ descriptor }) => !isManifest(descriptor.mediaType));
  return { ...planned, delta: { base, absent: new Set(content.map(({ descriptor }) => descriptor.digest)) } };
}
