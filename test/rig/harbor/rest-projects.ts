import { readBody, refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import { find } from "./manifests.ts";
import { usedBytes, type Identity, type Project } from "./state.ts";

const namePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/** `/projects`. */
export async function handleProjects(exchange: Exchange, identity: Identity | undefined): Promise<Outcome> {
  const { request, url, state } = exchange;
  if (request.method === "HEAD")
    return { status: state.projects.has(url.searchParams.get("project_name") ?? "") ? 200 : 404 };
  return request.method === "POST" ? create(exchange, identity) : list(exchange, identity);
}

/** `/projects/NAME` and below. */
export function handleProject({ state }: Exchange, identity: Identity | undefined, path: string): Reply {
  const name = decodeURIComponent(path.split("/")[2] ?? "");
  const project = state.projects.get(name);
  const held = project === undefined ? [] : state.actionsOf(identity, project);
  // Who is no administrator is not told whether it exists (docs/facts/harbor.md#what-401-and-403-mean).
  if (identity?.admin !== true && !held.includes("pull")) return refuse(403, "FORBIDDEN", "forbidden");
  if (project === undefined) return refuse(404, "NOT_FOUND", `project ${name} not found`);
  if (path.endsWith("/summary")) return summary(project, held.includes("push") || !isRobot(identity));
  if (path.endsWith("/immutabletagrules"))
    return identity?.admin === true ? rules(project) : refuse(403, "FORBIDDEN", "forbidden");
  return { status: 200, json: describe(project) };
}

function describe(project: Project): unknown {
  return {
    project_id: project.id,
    name: project.name,
    ...(project.proxy && { registry_id: 1 }),
    metadata: {
      public: String(project.public),
      ...(project.preventVulnerable && { prevent_vul: "true", severity: "high" }),
      ...(project.contentTrust && { enable_content_trust_cosign: "true" }),
    },
  };
}

/** Fuzzy, and ten to a page unless told otherwise: a client has to filter and go on. */
function list(exchange: Exchange, identity: Identity | undefined): Reply {
  const { url, state } = exchange;
  const wanted = url.searchParams.get("name") ?? "";
  const asked = Number(url.searchParams.get("page_size") ?? 10);
  if (asked > 100) return refuse(422, "UNPROCESSABLE_ENTITY", "page_size in query should be less than or equal to 100");
  const page = Number(url.searchParams.get("page") ?? 1);
  const size = asked;
  const seen = [...state.projects.values()].filter(
    (project) =>
      project.name.includes(wanted) && (identity?.admin === true || state.actionsOf(identity, project).length > 0),
  );
  const more = page * size < seen.length;
  const named = wanted === "" ? "" : `name=${wanted}&`;
  const next = `</api/v2.0/projects?${named}page=${String(page + 1)}&page_size=${String(size)}>; rel="next"`;
  return {
    status: 200,
    json: seen.slice((page - 1) * size, page * size).map(describe),
    headers: { "x-total-count": String(seen.length), ...(more && { link: next }) },
  };
}

interface ProjectDocument {
  readonly project_name?: string;
  readonly metadata?: { readonly public?: string | boolean };
  readonly storage_limit?: number;
}

async function create({ request, state }: Exchange, identity: Identity | undefined): Promise<Outcome> {
  if (identity === undefined) return refuse(401, "UNAUTHORIZED", "unauthorized");
  if (state.switches.creation === "adminonly" && identity.admin !== true)
    return refuse(403, "FORBIDDEN", "Only system admin can create project");
  const body = parsed((await readBody(request, 65_536))?.toString() ?? "{}");
  if ("status" in body) return body;
  const name = body.project_name ?? "";
  if (state.projects.has(name)) return refuse(409, "CONFLICT", `The project named ${name} already exists`);
  const problem = problemOf(body);
  if (problem !== undefined) return refuse(400, "BAD_REQUEST", problem);
  const made = state.addProject(name, { public: body.metadata?.public === "true", quota: body.storage_limit || -1 });
  return { status: 201, headers: { location: `/api/v2.0/projects/${String(made.id)}` } };
}

function parsed(text: string): ProjectDocument | Reply {
  try {
    const body = JSON.parse(text) as ProjectDocument;
    if (typeof body.metadata?.public !== "boolean") return body;
    return unreadable(
      "json: cannot unmarshal bool into Go struct field ProjectMetadata.metadata.public of type string",
    );
  } catch {
    return unreadable("invalid character 'o' in literal null (expecting 'u')");
  }
}

const unreadable = (why: string): Reply =>
  refuse(422, "UNPROCESSABLE_ENTITY", `validation failure list:\nparsing project body from "" failed, because ${why}`);

/** `public` is a string, of all things (docs/facts/harbor.md#projects). */
function problemOf({ project_name: name = "", metadata }: ProjectDocument): string | undefined {
  const isPublic = metadata?.public ?? "false";
  if (isPublic !== "true" && isPublic !== "false")
    return `metadata.public should only be 'true' or 'false', but got: '${String(isPublic)}'`;
  if (name === "") return `Project name ${name} is illegal in length. (greater than 255 or less than 1)`;
  return namePattern.test(name) ? undefined : "project name is not in lower case or contains illegal characters";
}

/** A guest sees the quota. A robot has only what its permissions say, and one that pulls was not given this one. */
const isRobot = (identity: Identity | undefined): boolean => identity?.name.startsWith("robot$") === true;

function summary(project: Project, seesQuota: boolean): Reply {
  const quota = { hard: { storage: project.quota }, used: { storage: usedBytes(project) } };
  return { status: 200, json: { repo_count: project.artifacts.size, ...(seesQuota && { quota }) } };
}

function rules(project: Project): Reply {
  const json = project.immutable.map((_, id) => ({
    id,
    disabled: false,
    action: "immutable",
    template: "immutable_template",
  }));
  return { status: 200, json, headers: { "x-total-count": String(json.length) } };
}

export function handleArtifact(exchange: Exchange, identity: Identity | undefined, path: string): Reply {
  const [, named = ""] = path.split("/").slice(1);
  // Who may see all is told that there is none; a plain slash makes a path that is none.
  const isPath = /^\/projects\/[^/]+\/repositories\/[^/]+\/artifacts\/[^/]+$/.test(path);
  if (identity?.admin === true && (!isPath || !exchange.state.projects.has(named)))
    return refuse(404, "NOT_FOUND", `project ${named} not found`);
  return artifact(exchange, identity, path);
}

function artifact(exchange: Exchange, identity: Identity | undefined, path: string): Reply {
  const [, project = "", name = "", pointer = ""] =
    /^\/projects\/([^/]+)\/repositories\/([^/]+)\/artifacts\/([^/]+)$/.exec(path) ?? [];
  const { state } = exchange;
  const known = state.projects.get(project);
  if (known === undefined || !state.actionsOf(identity, known).includes("pull"))
    return refuse(403, "FORBIDDEN", "forbidden");
  // nginx and the router decode once each: what arrives here single-encoded is another path
  // (docs/facts/harbor.md#repository-names).
  const repository = decodeURIComponent(decodeURIComponent(name));
  const artifact = find(known.artifacts.get(repository), decodeURIComponent(pointer));
  const nested = repository.includes("/");
  if (artifact === undefined || (nested && !name.includes("%252F")))
    return refuse(404, "NOT_FOUND", `artifact ${project}/${repository}:${pointer} not found`);
  const tags = [...artifact.tags].map((tag) => ({
    name: tag,
    immutable: known.immutable.some((each) => each === "*" || each === `${repository}:${tag}`),
  }));
  return {
    status: 200,
    json: {
      id: 1,
      type: typeOf(artifact.configType),
      media_type: artifact.configType,
      artifact_type: artifact.artifactType,
      manifest_media_type: artifact.mediaType,
      repository_name: `${project}/${repository}`,
      digest: artifact.digest,
      size: artifact.size,
      tags,
      references: null,
      labels: null,
    },
  };
}

/** docs/facts/harbor.md#config-must-be-json. */
function typeOf(configType: string): string {
  if (/image\.(config|index)|container\.image|manifest\.list/.test(configType)) return "IMAGE";
  if (configType === "application/vnd.cncf.helm.config.v1+json") return "CHART";
  if (configType === "application/vnd.wasm.config.v1+json") return "WASM";
  return /^application\/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$/.exec(configType)?.[1]?.toUpperCase() ?? "UNKNOWN";
}
