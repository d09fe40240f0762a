import * as z from "zod";
import { pagesOf, type HarborHttp } from "./http.ts";

const boolean = z
  .string()
  .nullish()
  .transform((text) => text === "true");
const ProjectDocument = z.object({
  project_id: z.int(),
  name: z.string(),
  registry_id: z.int().nullish(),
  metadata: z
    .object({
      public: boolean,
      prevent_vul: boolean,
      enable_content_trust: boolean,
      enable_content_trust_cosign: boolean,
    })
    .nullish(),
});

export interface HarborProject {
  readonly id: number;
  readonly name: string;
  readonly isPublic: boolean;
  /** A cache of another registry: Harbor refuses pushes. */
  readonly isProxy: boolean;
  /** Settings that answer 412 to pulls. */
  readonly pullPolicies: readonly ("prevent_vul" | "content_trust")[];
}

/** Bytes; `hard` -1 is no limit. */
export interface Quota {
  readonly hard: number;
  readonly used: number;
}

const Summary = z.object({
  quota: z.object({ hard: z.object({ storage: z.number() }), used: z.object({ storage: z.number() }) }).nullish(),
});
const Rules = z.array(z.object({ disabled: z.boolean().nullish() })).nullable();

/** "hidden": it may exist, and we may not know. */
export type ProjectAnswer = HarborProject | "missing" | "hidden";

/**
 * Looks a project up with whatever right there is. 403 says nothing to those who are no administrators, and an OIDC
 * secret may make only the list call (docs/facts/harbor.md#oidc-cli-secret), so the three ways are tried in turn.
 */
export async function findProject(http: HarborHttp, name: string, signal?: AbortSignal): Promise<ProjectAnswer> {
  const path = `/api/v2.0/projects/${encodeURIComponent(name)}`;
  const call = { method: "GET", path, signal } as const;
  const answer = await http.ask(call, [200, 401, 403, 404]);
  if (answer.status === 200) return harborProject(await http.parse(call, ProjectDocument, answer));
  if (answer.status === 404) return "missing";
  const listed = await listedProject(http, name, signal);
  if (listed !== undefined) return listed;
  const head = { method: "HEAD", path: `/api/v2.0/projects?project_name=${encodeURIComponent(name)}`, signal } as const;
  return (await http.ask(head, [200, 401, 403, 404])).status === 404 ? "missing" : "hidden";
}

/** The list is fuzzy, and has pages; who may not list sees nothing, which is no answer either. */
async function listedProject(http: HarborHttp, name: string, signal?: AbortSignal): Promise<HarborProject | undefined> {
  const load = async (page: string): Promise<readonly z.output<typeof ProjectDocument>[] | null> => {
    const path = `/api/v2.0/projects?name=${encodeURIComponent(name)}&${page}`;
    const call = { method: "GET", path, signal } as const;
    const answer = await http.ask(call, [200, 401, 403]);
    return answer.status === 200 ? http.parse(call, z.array(ProjectDocument).nullable(), answer) : null;
  };
  for await (const project of pagesOf(load, 20)) if (project.name === name) return harborProject(project);
  return undefined;
}

function harborProject({
  project_id: id,
  name,
  registry_id: proxied,
  metadata,
}: z.output<typeof ProjectDocument>): HarborProject {
  const trusts = metadata?.enable_content_trust === true || metadata?.enable_content_trust_cosign === true;
  return {
    id,
    name,
    isPublic: metadata?.public === true,
    isProxy: (proxied ?? 0) > 0,
    pullPolicies: [
      ...(metadata?.prevent_vul === true ? (["prevent_vul"] as const) : []),
      ...(trusts ? (["content_trust"] as const) : []),
    ],
  };
}

export interface NewProject {
  readonly name: string;
  readonly isPublic: boolean;
  /** Bytes. @default no limit, for administrators; others get the installation's default */
  readonly storageLimit?: number | undefined;
}

/** Creates it; that it is there already is success. False: it was there. */
export async function createProject(http: HarborHttp, project: NewProject, signal?: AbortSignal): Promise<boolean> {
  const json = {
    project_name: project.name,
    // A string, of all things: a boolean is 400 (docs/facts/harbor.md#projects).
    metadata: { public: String(project.isPublic) },
    storage_limit: project.storageLimit ?? -1,
  };
  const { status } = await http.ask({ method: "POST", path: "/api/v2.0/projects", json, signal }, [201, 409]);
  return status === 201;
}

/** `undefined` when we may not see it. */
export async function quotaOf(http: HarborHttp, project: string, signal?: AbortSignal): Promise<Quota | undefined> {
  const path = `/api/v2.0/projects/${encodeURIComponent(project)}/summary`;
  const call = { method: "GET", path, signal } as const;
  const answer = await http.ask(call, [200, 401, 403, 404]);
  if (answer.status !== 200) return undefined;
  const { quota } = await http.parse(call, Summary, answer);
  return quota === null || quota === undefined ? undefined : { hard: quota.hard.storage, used: quota.used.storage };
}

/** How many rules guard tags; `undefined` when we may not see them. */
export async function immutableRules(
  http: HarborHttp,
  project: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const path = `/api/v2.0/projects/${encodeURIComponent(project)}/immutabletagrules`;
  const call = { method: "GET", path, signal } as const;
  const answer = await http.ask(call, [200, 401, 403, 404]);
  if (answer.status !== 200) return undefined;
  const rules = (await http.parse(call, Rules, answer)) ?? [];
  return rules.filter(({ disabled }) => disabled !== true).length;
}

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
