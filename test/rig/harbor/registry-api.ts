import { basicIdentity, bearerChallenge, unauthorized, type Tokens } from "./auth.ts";
import type { Backend } from "./backend.ts";
import { handleUpload } from "./blobs.ts";
import { refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import { handleManifest } from "./manifests.ts";
import type { Action, Project } from "./state.ts";

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const route = new RegExp(`^/v2/(${component}(?:/${component})*)/(blobs|manifests|tags|referrers)(?:/(.*))?$`);

export interface RegistryApi {
  readonly tokens: Tokens;
  readonly backend: Backend;
  readonly onUploaded: (bytes: number) => void;
}

/** `/v2/…`: read-only first, then who, then what (docs/facts/harbor.md#what-401-and-403-mean). */
export async function handleRegistry(api: RegistryApi, exchange: Exchange): Promise<Outcome> {
  const { response, url } = exchange;
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  const { origin } = exchange;
  // nginx, not core.
  if (url.pathname === "/v2") return { status: 301, headers: { location: `${origin}/v2/` } };
  if (url.pathname === "/v2/") return ping(api, exchange);
  if (url.pathname === "/v2/_catalog") return catalog(exchange);
  return notNow(exchange) ?? inRepository(api, exchange);
}

/** Refusals of all that writes, whoever sends it. */
function notNow({ request, state }: Exchange): Reply | undefined {
  const action = actionOf(request.method);
  if (action === "pull") return undefined;
  // Whoever brings a session is a browser, and must bring its token, too.
  if (/\bsid=/.test(request.headers.cookie ?? "")) return refuse(403, "FORBIDDEN", "CSRF token not found in request");
  return state.switches.readOnly
    ? refuse(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")
    : undefined;
}

async function inRepository(api: RegistryApi, exchange: Exchange): Promise<Outcome> {
  const { request, url } = exchange;
  const action = actionOf(request.method);
  const match = route.exec(url.pathname);
  if (match === null) return unrecognized(exchange);
  const [, name = "", kind = "", rest = ""] = match;
  const [projectName = "", ...path] = name.split("/");
  if (path.length === 0) return refuse(400, "BAD_REQUEST", `bad request: invalid repository name: ${name}`);
  const project = authorize(api.tokens, exchange, { name, projectName, action });
  if ("status" in project) return project;
  return dispatch(api, exchange, { project, kind, repository: path.join("/"), rest });
}

interface Target {
  readonly project: Project;
  readonly kind: string;
  readonly repository: string;
  readonly rest: string;
}

function dispatch(api: RegistryApi, exchange: Exchange, { project, kind, repository, rest }: Target): Promise<Outcome> {
  const { backend, onUploaded, tokens } = api;
  if (kind === "blobs" && rest === "uploads")
    return Promise.resolve({ status: 301, headers: { location: `${exchange.url.pathname}/` } });
  const wrong = malformed(exchange, { project, kind, repository, rest });
  if (wrong !== undefined) return Promise.resolve(wrong);
  if (kind === "tags") return Promise.resolve(tags(exchange, project, repository));
  if (kind === "referrers") return Promise.resolve(referrers(project, repository, rest));
  if (kind === "manifests") return handleManifest({ exchange, project, repository, pointer: rest, backend });
  if (kind !== "blobs" || !rest.startsWith("uploads")) return backend.pass(exchange);
  const actionsIn = (other: string): readonly Action[] | undefined => {
    const source = exchange.state.projects.get(other);
    return source && tokens.actions(exchange, source);
  };
  return handleUpload({ exchange, project, backend, actionsIn, onUploaded });
}

function actionOf(method: string | undefined): Action {
  return method === "GET" || method === "HEAD" ? "pull" : method === "DELETE" ? "delete" : "push";
}

function unrecognized({ request, url }: Exchange): Reply {
  const line = `un-recognized request: ${request.method ?? ""} ${url.pathname}`;
  return refuse(401, "UNAUTHORIZED", `${line}: ${line}`, { "www-authenticate": "" });
}

function ping({ tokens }: RegistryApi, exchange: Exchange): Reply {
  if (tokens.known(exchange)) return { status: 200, json: {} };
  const isAnonymous = exchange.request.headers.authorization === undefined;
  const challenge = isAnonymous ? bearerChallenge(exchange) : 'Basic realm="harbor"';
  return refuse(401, "UNAUTHORIZED", "unauthorized: unauthorized", { "www-authenticate": challenge });
}

/** The project, or why not. */
function authorize(
  tokens: Tokens,
  exchange: Exchange,
  wanted: { readonly name: string; readonly projectName: string; readonly action: Action },
): Project | Reply {
  const { request, state } = exchange;
  const { name, projectName, action } = wanted;
  const scope = scopeOf(exchange, name, action);
  // HEAD it says, of a GET as well.
  if (request.headers.authorization === undefined && action === "pull")
    return unauthorized(exchange, "authorize header needed to send HEAD to repository", scope);
  const project = state.projects.get(projectName);
  if (project === undefined) {
    const message = `project ${projectName} not found`;
    return refuse(401, "UNAUTHORIZED", `${message}: ${message}`, { "www-authenticate": "" });
  }
  if (tokens.actions(exchange, project)?.includes(action) === true) return project;
  return unauthorized(exchange, `unauthorized to access repository: ${name}, action: ${action}`, scope);
}

function scopeOf({ url }: Exchange, name: string, action: Action): string {
  const from = url.searchParams.get("from");
  const source = from === null ? "" : ` repository:${from}:pull`;
  return `repository:${name}:${action === "push" ? "pull,push" : action}${source}`;
}

const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** What core refuses for its name, before it looks for it. */
function malformed({ request }: Exchange, { kind, rest }: Target): Reply | undefined {
  if (digestPattern.test(rest)) return undefined;
  const unsupported = `unsupported digest ${rest}: invalid checksum digest format`;
  const wrong: Readonly<Record<string, Reply>> = {
    "DELETE manifests": refuse(400, "UNSUPPORTED", unsupported),
    "GET referrers": refuse(400, "BAD_REQUEST", unsupported),
    "HEAD blobs": { status: 404 },
    ...(!tagPattern.test(rest) && {
      "PUT manifests": refuse(400, "BAD_REQUEST", `bad request: invalid tag name: ${rest}`),
    }),
  };
  return wrong[`${request.method ?? ""} ${kind}`];
}

function catalog(exchange: Exchange): Reply {
  if (basicIdentity(exchange)?.admin !== true) {
    const message = "unauthorized to list catalog";
    return refuse(401, "UNAUTHORIZED", `${message}: ${message}`, { "www-authenticate": 'Basic realm="harbor"' });
  }
  const all = [...exchange.state.projects.values()];
  const repositories = all.flatMap(({ name, artifacts }) => [...artifacts.keys()].map((path) => `${name}/${path}`));
  return { status: 200, json: { repositories: repositories.sort() } };
}

function tags({ url }: Exchange, project: Project, repository: string): Reply {
  const name = `${project.name}/${repository}`;
  const artifacts = project.artifacts.get(repository);
  if (artifacts === undefined) return refuse(404, "NOT_FOUND", `repository ${name} not found`);
  const all = [...artifacts.values()].flatMap((artifact) => [...artifact.tags]).sort();
  const after = all.filter((tag) => tag > (url.searchParams.get("last") ?? ""));
  const n = Number(url.searchParams.get("n") ?? after.length);
  const page = after.slice(0, n);
  const next = `</v2/${name}/tags/list?last=${page.at(-1) ?? ""}&n=${String(n)}>; rel="next"`;
  return { status: 200, json: { name, tags: page }, headers: page.length < after.length ? { link: next } : {} };
}

function referrers(project: Project, repository: string, digest: string): Reply {
  const all = [...(project.artifacts.get(repository)?.values() ?? [])].filter(({ subject }) => subject === digest);
  const manifests = all.map(({ mediaType, digest: own, bytes, artifactType }) => ({
    mediaType,
    digest: own,
    size: bytes,
    artifactType,
  }));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const headers = { "content-type": mediaType, "x-total-count": String(all.length) };
  return { status: 200, json: { schemaVersion: 2, mediaType, manifests }, headers };
}
