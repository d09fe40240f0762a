import type { Harbor } from "../../edge/harbor/client.ts";
import { Failure } from "../../model/failure.ts";
import type { Site } from "../../model/site.ts";
import type { InstallPlan } from "../../pipeline/install-plan.ts";
import type { PullSecret } from "../../stages/apply/objects.ts";
import { parseBytes } from "../../std/bytes.ts";
import type { Context } from "../context.ts";
import { pullLogin, type TargetSession } from "./target.ts";

/** Makes the projects when the site asks for it and the registry is a Harbor; that they are there already is success. */
export async function createProjects(
  site: Site,
  plan: InstallPlan,
  session: TargetSession,
  context: Context,
): Promise<void> {
  const harbor = session.harbor();
  const { createProject } = site.registry;
  if (createProject === undefined || harbor === undefined) return;
  const storageLimit = createProject.storageLimit === undefined ? undefined : parseBytes(createProject.storageLimit);
  for (const name of projectsOf(plan))
    await harbor.createProject({ name, isPublic: createProject.public, storageLimit }, context.signal);
}

/** Those that `createProjects` would make. */
export async function newProjects(
  site: Site,
  plan: InstallPlan,
  session: TargetSession,
  context: Context,
): Promise<ReadonlySet<string>> {
  const harbor = session.harbor();
  const names = new Set<string>();
  if (site.registry.createProject === undefined || harbor === undefined) return names;
  for (const name of projectsOf(plan)) if ((await harbor.project(name, context.signal)) === "missing") names.add(name);
  return names;
}

function projectsOf(plan: InstallPlan): readonly string[] {
  return [
    ...new Set(plan.mapped.flatMap(({ targets }) => targets.map(({ repository }) => repository.split("/")[0] ?? ""))),
  ];
}

/**
 * The secret that pods pull with: a robot's when the site asks for one, else the site's pull credentials. Where no robot
 * can be made, nobody else takes its place: the pusher's password is not for the cluster.
 */
export async function pullSecretOf(
  site: Site,
  session: TargetSession,
  context: Context,
): Promise<PullSecret | undefined> {
  const { host: registry, project } = site.registry;
  const name = site.pull.secretName;
  if (site.pull.robot) {
    const harbor = session.harbor();
    if (harbor === undefined) throw new Failure("ROBOT_IMPOSSIBLE", { host: registry });
    const robot = await pullRobot(harbor, project.split("/")[0] ?? project, context.signal);
    return { name, registry, username: robot.name, password: robot.secret };
  }
  const login = await pullLogin(site, context);
  return login === undefined ? undefined : { name, registry, username: login.username, password: login.password };
}

const robotName = "higress-airgap-pull";

async function pullRobot(
  harbor: Harbor,
  project: string,
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly secret: string }> {
  const found = await harbor.project(project, signal);
  if (found === "missing" || found === "hidden") {
    throw new Failure(
      "REGISTRY_DENIED",
      { host: project, action: `robot ${robotName}`, answer: `project ${found}` },
      { side: "target" },
    );
  }
  return harbor.ensurePullRobot({ project, projectId: found.id, name: robotName }, signal);
}
