import { basicIdentity } from "./auth.ts";
import { refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import { handleArtifact, handleProject, handleProjects } from "./rest-projects.ts";
import { handleRobots } from "./rest-robots.ts";
import type { Identity } from "./state.ts";

/** The calls that a CLI secret may make (docs/facts/harbor.md#oidc-cli-secret); others are 401 for it. */
const oidcCalls = [
  /^(GET|POST) \/api\/v2\.0\/projects$/,
  /^GET \/api\/v2\.0\/systeminfo$/,
  /^GET \/api\/version$/,
  /^GET \/api\/v2\.0\/projects\/[^/]+\/repositories(\/[^/]+\/artifacts)?$/,
];

const open: Readonly<Record<string, (exchange: Exchange, identity: Identity | undefined) => Reply>> = {
  "/api/version": () => ({ status: 200, json: { version: "v2.0" } }),
  "/api/v2.0/ping": () => ({ status: 200, text: "Pong" }),
  "/api/v2.0/health": health,
  "/api/v2.0/systeminfo": systemInfo,
  "/api/v2.0/systeminfo/getcert": ({ state: { switches } }) =>
    switches.ca === undefined
      ? refuse(404, "NOT_FOUND", "ca not found")
      : { status: 200, text: switches.ca, headers: { "content-type": "application/octet-stream" } },
};

/** `/api/…` (docs/facts/harbor.md#systeminfo). */
export async function handleRest(exchange: Exchange): Promise<Outcome> {
  const { request, url } = exchange;
  const method = request.method ?? "GET";
  if (/\bsid=/.test(request.headers.cookie ?? "") && !/^(GET|HEAD)$/.test(method))
    return refuse(403, "FORBIDDEN", "CSRF token not found in request");
  const identity = restIdentity(exchange, method);
  const answer = open[url.pathname];
  if (answer !== undefined) return answer(exchange, identity);
  const path = url.pathname.replace(/^\/api\/v2\.0/, "");
  // The list alone is for everyone; it shows them what is public.
  const isOpen = method === "GET" && (path === "/projects" || isPublic(exchange, path));
  // Of a robot the document is read before anybody asks who sent it.
  if (identity === undefined && !isOpen && path !== "/robots") return refuse(401, "UNAUTHORIZED", "unauthorized");
  return below(exchange, identity, path);
}

async function below(exchange: Exchange, identity: Identity | undefined, path: string): Promise<Outcome> {
  if (path === "/users/current") return currentUser(identity);
  if (path.startsWith("/robots")) return handleRobots(exchange, identity, path);
  if (/^\/projects\/[^/]+\/repositories\//.test(path)) return handleArtifact(exchange, identity, path);
  if (path === "/projects") return handleProjects(exchange, identity);
  if (path.startsWith("/projects/")) return handleProject(exchange, identity, path);
  return refuse(404, "NOT_FOUND", `path /api/v2.0${path} was not found`);
}

function isPublic({ state }: Exchange, path: string): boolean {
  const name = /^\/projects\/([^/]+)$/.exec(path)?.[1];
  return name !== undefined && state.projects.get(decodeURIComponent(name))?.public === true;
}

function restIdentity(exchange: Exchange, method: string): Identity | undefined {
  const identity = basicIdentity(exchange);
  const allowed = oidcCalls.some((call) => call.test(`${method} ${exchange.url.pathname}`));
  return identity?.oidcCli === true && !allowed ? undefined : identity;
}

function currentUser(identity: Identity | undefined): Reply {
  const robot = identity?.name.startsWith("robot$") === true;
  if (robot) return refuse(412, "PRECONDITION", "get current user not available for security context: robot");
  const json = { username: identity?.name, sysadmin_flag: identity?.admin === true, admin_role_in_auth: false };
  return { status: 200, json };
}

function health(exchange: Exchange): Reply {
  const { unhealthy } = exchange.state.switches;
  const components = ["core", "portal", "jobservice", "registry", "registryctl", "database", "redis"].map((name) =>
    unhealthy.includes(name) ? { name, status: "unhealthy", error: "down" } : { name, status: "healthy" },
  );
  return { status: 200, json: { status: unhealthy.length === 0 ? "healthy" : "unhealthy", components } };
}

function systemInfo(exchange: Exchange, identity: Identity | undefined): Reply {
  const { state, origin } = exchange;
  const { version, readOnly, creation, ca } = state.switches;
  const anonymous = {
    auth_mode: "db_auth",
    primary_auth_mode: false,
    self_registration: false,
    banner_message: "",
    oidc_provider_name: "",
  };
  // Public up to 2.12, for those who are known from 2.13 on.
  const versioned = state.isBefore(2, 13) || identity !== undefined ? { harbor_version: `v${version}-0a1b2c3d` } : {};
  const known =
    identity === undefined
      ? {}
      : {
          external_url: origin,
          registry_url: new URL(origin).host,
          project_creation_restriction: creation,
          read_only: readOnly,
          has_ca_root: ca !== undefined,
          notification_enable: true,
          registry_storage_provider_name: "filesystem",
          current_time: new Date().toISOString(),
        };
  return { status: 200, json: { ...anonymous, ...versioned, ...known } };
}
