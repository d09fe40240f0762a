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
