import { createHash } from "node:crypto";
import { Failure } from "../model/failure.ts";
import { unknownCluster } from "../model/receipt.ts";
import type { Site } from "../model/site.ts";
import type { PullSecret } from "../stages/apply/objects.ts";
import type { Bundle } from "../stages/bundle/open.ts";
import type { PushSource, PushTarget } from "../stages/push/ports.ts";
import { pushItems, type PushOptions, type PushResult } from "../stages/push/push.ts";
import type { ClusterIdentity } from "../stages/receipt/receipt.ts";
import { parseBytes } from "../std/bytes.ts";
import type { InstallPlan } from "./install-plan.ts";

export interface PushPorts {
  readonly target: PushTarget;
  readonly pushOptions: Partial<PushOptions>;
}

/** A bundle, or what one would be made of. */
export type PushedContent = PushSource & { readonly document: Pick<Bundle["document"], "delta"> };

export function push(
  plan: InstallPlan,
  bundle: PushedContent,
  ports: PushPorts,
  options: Pick<PushOptions, "concurrency" | "signal" | "report">,
): Promise<PushResult> {
  const { delta } = bundle.document;
  return pushItems(plan.mapped, bundle, ports.target, {
    ...ports.pushOptions,
    concurrency: options.concurrency,
    signal: options.signal,
    report: options.report,
    ...(delta === undefined ? {} : { base: delta.base }),
  });
}

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
  ensurePullRobot(
    wanted: { readonly project: string; readonly projectId: number; readonly name: string },
    signal?: AbortSignal,
  ): Promise<{ readonly name: string; readonly secret: string }>;
}

interface ProjectPorts {
  /**
   * `undefined` when what answers is no Harbor.
   * @throws Failure REGISTRY_* when nobody answered who could say
   */
  harbor(): HarborProjects | undefined;
  readonly signal: AbortSignal;
}

export interface PullLoginPort {
  /** Which cluster pulls. */
  readonly cluster: () => Promise<ClusterIdentity>;
  /** Who the cluster pulls as; `undefined`: anonymous. */
  readonly pullLogin: () => Promise<{ readonly username: string; readonly password: string } | undefined>;
}

/** Makes the projects when the site asks for it and the registry is a Harbor; that they are there already is success. */
export async function createProjects(site: Site, plan: InstallPlan, ports: ProjectPorts): Promise<void> {
  const harbor = ports.harbor();
  const { createProject } = site.registry;
  if (createProject === undefined || harbor === undefined) return;
  const storageLimit = createProject.storageLimit === undefined ? undefined : parseBytes(createProject.storageLimit);
  for (const name of projectsOf(plan))
    await harbor.createProject({ name, isPublic: createProject.public, storageLimit }, ports.signal);
}

/** Those that `createProjects` would make. */
export async function newProjects(site: Site, plan: InstallPlan, ports: ProjectPorts): Promise<ReadonlySet<string>> {
  const harbor = ports.harbor();
  const names = new Set<string>();
  if (site.registry.createProject === undefined || harbor === undefined) return names;
  for (const name of projectsOf(plan)) if ((await harbor.project(name, ports.signal)) === "missing") names.add(name);
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
export async function pullSecretOf(site: Site, ports: ProjectPorts & PullLoginPort): Promise<PullSecret | undefined> {
  const { host: registry, project } = site.registry;
  const name = site.pull.secretName;
  if (site.pull.robot) {
    const harbor = ports.harbor();
    if (harbor === undefined) throw new Failure("ROBOT_IMPOSSIBLE", { host: registry });
    const robot = await pullRobot(
      harbor,
      { project: project.split("/")[0] ?? project, name: robotOf(await ports.cluster(), site.cluster.namespace) },
      ports.signal,
    );
    return { name, registry, username: robot.name, password: robot.secret };
  }
  const login = await ports.pullLogin();
  return login === undefined ? undefined : { name, registry, username: login.username, password: login.password };
}

/**
 * Harbor tells a secret once, and the next one ends it: with one robot for all, an install on one cluster would take the
 * pull secret of every other one that uses the project.
 */
function robotOf({ server, url }: ClusterIdentity, namespace: string): string {
  const cluster = server === unknownCluster ? (url ?? server) : server;
  const which = createHash("sha256").update(`${cluster} ${namespace}`).digest("hex");
  return `higress-airgap-pull-${which.slice(0, 8)}`;
}

async function pullRobot(
  harbor: HarborProjects,
  { project, name }: { readonly project: string; readonly name: string },
  signal: AbortSignal,
): Promise<{ readonly name: string; readonly secret: string }> {
  const found = await harbor.project(project, signal);
  if (found === "missing" || found === "hidden") {
    throw new Failure(
      "REGISTRY_DENIED",
      { host: project, action: `robot ${name}`, answer: `project ${found}`, because: "other" },
      { side: "target" },
    );
  }
  return harbor.ensurePullRobot({ project, projectId: found.id, name }, signal);
}
