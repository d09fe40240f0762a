import { createHash } from "node:crypto";
import { Failure } from "../model/failure.ts";
import { unknownCluster } from "../model/receipt.ts";
import { projectOf } from "../model/relocation.ts";
import type { Site } from "../model/site.ts";
import type { PullSecret } from "../stages/apply/objects.ts";
import type { ClusterIdentity } from "../stages/receipt/receipt.ts";

/** Harbor's own API, as far as a robot needs it; the edge's client fits. */
interface HarborRobots {
  project(name: string, signal?: AbortSignal): Promise<{ readonly id: number } | "missing" | "hidden">;
  ensurePullRobot(
    wanted: { readonly project: string; readonly projectId: number; readonly name: string },
    signal?: AbortSignal,
  ): Promise<{ readonly name: string; readonly secret: string }>;
}

interface PullSecretPorts {
  /**
   * `undefined` when what answers is no Harbor.
   * @throws Failure REGISTRY_* when nobody answered who could say
   */
  harbor(): HarborRobots | undefined;
  /** Which cluster pulls. */
  readonly cluster: () => Promise<ClusterIdentity>;
  /** Who the cluster pulls as; `undefined`: anonymous. */
  readonly pullLogin: () => Promise<{ readonly username: string; readonly password: string } | undefined>;
  readonly signal: AbortSignal;
}

/**
 * The secret that pods pull with: a robot's when the site asks for one, else the site's pull credentials. Where no robot
 * can be made, nobody else takes its place: the pusher's password is not for the cluster.
 */
export async function pullSecretOf(site: Site, ports: PullSecretPorts): Promise<PullSecret | undefined> {
  const { host: registry, project } = site.registry;
  const name = site.pull.secretName;
  if (site.pull.robot) {
    const harbor = ports.harbor();
    if (harbor === undefined) throw new Failure("ROBOT_IMPOSSIBLE", { host: registry });
    const robot = await pullRobot(
      harbor,
      { project: projectOf(project), name: robotOf(await ports.cluster(), site.cluster.namespace) },
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
  harbor: HarborRobots,
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
