import * as z from "zod";
import { pagesOf, type HarborHttp } from "./http.ts";

const Created = z.object({ id: z.int(), name: z.string().max(300), secret: z.string().min(1).max(300) });
const Listing = z.object({ id: z.int(), name: z.string() });
const Listed = z.array(Listing).nullable();
const Refreshed = z.object({ secret: z.string().min(1).max(300) });

export interface Robot {
  /** With its prefix, `robot$project+name`: the user name to log in with. */
  readonly name: string;
  readonly secret: string;
  readonly state: "created" | "renewed";
}

/** More pages than anybody has robots in a project. */
const maxPages = 50;

/** All that a kubelet needs, and nothing else. */
const pullAccess = [{ resource: "repository", action: "pull" }] as const;

/**
 * A project robot that may pull, for the cluster. Harbor tells a secret once only, so of a robot that is there already
 * the secret is renewed: whoever still uses the old one stops working.
 */
export async function ensurePullRobot(
  http: HarborHttp,
  wanted: { readonly project: string; readonly projectId: number; readonly name: string },
  signal?: AbortSignal,
): Promise<Robot> {
  const { project, projectId, name } = wanted;
  const json = {
    name,
    description: "pulls what higress-airgap has pushed",
    level: "project",
    // Days; 0 was "never" up to 2.10 and is refused since, -1 is "never" in all (docs/facts/harbor.md#robot-accounts).
    duration: -1,
    disable: false,
    permissions: [{ kind: "project", namespace: project, access: pullAccess }],
  };
  const call = { method: "POST", path: "/api/v2.0/robots", json, signal } as const;
  const answer = await http.ask(call, [201, 409]);
  if (answer.status === 201) {
    const { name: full, secret } = await http.parse(call, Created, answer);
    return { name: full, secret, state: "created" };
  }
  return renew(http, { projectId, suffix: `${project}+${name}` }, signal);
}

async function renew(
  http: HarborHttp,
  { projectId, suffix }: { readonly projectId: number; readonly suffix: string },
  signal?: AbortSignal,
): Promise<Robot> {
  const robot = await listedRobot(http, { projectId, suffix }, signal);
  const path = `/api/v2.0/robots/${robot.id}`;
  const { secret } = await http.json({ method: "PATCH", path, json: { secret: "" }, signal }, Refreshed);
  return { name: robot.name, secret, state: "renewed" };
}

async function listedRobot(
  http: HarborHttp,
  { projectId, suffix }: { readonly projectId: number; readonly suffix: string },
  signal?: AbortSignal,
): Promise<z.output<typeof Listing>> {
  const robots = "/api/v2.0/robots";
  const q = new URLSearchParams({ q: `Level=project,ProjectID=${projectId}` });
  const load = async (page: string): Promise<z.output<typeof Listed>> =>
    http.json({ method: "GET", path: `${robots}?${q.toString()}&${page}`, signal }, Listed);
  // The prefix can be configured, so only what follows it is known.
  for await (const robot of pagesOf(load, maxPages)) if (robot.name.endsWith(suffix)) return robot;
  const list = { method: "GET", path: robots, signal } as const;
  throw await http.protocolFailure(list, `409 CONFLICT, but no robot ${suffix} is listed`);
}
