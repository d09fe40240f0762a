import { bearerChallenge, unauthorized, type Tokens } from "./auth.ts";
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
  const { request, response, url, state } = exchange;
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  if (url.pathname === "/v2/") return ping(api, exchange);
  const action = actionOf(request.method);
  if (state.switches.readOnly && action !== "pull")
    return refuse(403, "DENIED", "The system is in read only mode. Any modification is prohibited.");
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
  const scope = `repository:${name}:${action === "pull" ? "pull" : "pull,push"}`;
  if (request.headers.authorization === undefined && action === "pull")
    return unauthorized(exchange, `authorize header needed to send ${request.method ?? ""} to repository`, scope);
  const project = state.projects.get(projectName);
  if (project === undefined) {
    const message = `project ${projectName} not found`;
    return refuse(401, "UNAUTHORIZED", `${message}: ${message}`, { "www-authenticate": "" });
  }
  if (tokens.actions(exchange, project)?.includes(action) === true) return project;
  return unauthorized(exchange, `unauthorized to access repository: ${name}, action: ${action}`, scope);
}
