import { randomBytes } from "node:crypto";
import { readBody, refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import type { Action, HarborState, Identity } from "./state.ts";

const namePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

interface RobotDocument {
  readonly name?: string;
  readonly level?: string;
  readonly duration?: number;
  readonly secret?: string;
  readonly permissions?: readonly {
    readonly namespace?: string;
    readonly access?: readonly { readonly resource?: string; readonly action?: string }[];
  }[];
}

/** docs/facts/harbor.md#robot-accounts. */
export async function handleRobots(exchange: Exchange, identity: Identity | undefined, path: string): Promise<Outcome> {
  const { request } = exchange;
  if (request.method === "GET")
    return identity === undefined ? refuse(401, "UNAUTHORIZED", "unauthorized") : listed(exchange);
  const body = JSON.parse(((await readBody(request, 65_536)) ?? Buffer.from("{}")).toString()) as RobotDocument;
  const denied = identity?.admin === true ? undefined : refuse(403, "FORBIDDEN", "forbidden");
  if (request.method === "PATCH") return denied ?? renew(exchange, Number(path.split("/")[2]), body.secret);
  return wrong(exchange, body) ?? denied ?? create(exchange, body);
}

/** Members may list those of their projects. */
function listed({ state, url }: Exchange): Reply {
  const [page, size] = ["page", "page_size"].map((name) => Number(url.searchParams.get(name)));
  const start = ((page || 1) - 1) * (size || 10);
  return { status: 200, json: [...state.robots.values()].slice(start, start + (size || 10)) };
}

function wrong(
  { state }: Exchange,
  { name = "", level, duration = 0, permissions = [] }: RobotDocument,
): Reply | undefined {
  const bad = (why: string): Reply => refuse(400, "BAD_REQUEST", why);
  if (!namePattern.test(name)) return bad("robot name is not in lower case or contains illegal characters");
  if (duration === 0 && !state.isBefore(2, 11))
    return bad("bad request error duration input: 0, duration must be either -1(Never) or a positive integer");
  if (level === "project" && permissions.length !== 1) return bad("bad request permission");
  return wrongPermission(state, permissions[0]);
}

function wrongPermission(
  state: HarborState,
  { namespace = "", access = [] }: NonNullable<RobotDocument["permissions"]>[number] = {},
): Reply | undefined {
  const unknown = access.find(({ action = "" }) => !["pull", "push", "delete"].includes(action));
  if (unknown !== undefined)
    return refuse(400, "BAD_REQUEST", `bad request permission: ${unknown.resource ?? ""}:${unknown.action ?? ""}`);
  return state.projects.has(namespace) ? undefined : refuse(404, "NOT_FOUND", `project ${namespace} not found`);
}

function create(exchange: Exchange, { name = "", level = "project", permissions = [] }: RobotDocument): Reply {
  const { state } = exchange;
  const project = permissions[0]?.namespace ?? "";
  const full = level === "system" ? `robot$${name}` : `robot$${project}+${name}`;
  if (state.identities.has(full)) return refuse(409, "CONFLICT", `robot account ${name} already exists`);
  const id = state.robots.size + 1;
  state.robots.set(id, { id, name: full, level, project });
  const access = permissions[0]?.access ?? [];
  const actions = access.filter(({ resource }) => resource === "repository").map(({ action }) => action as Action);
  const secret = setSecret(exchange, full, { [project]: actions });
  const json = { id, name: full, secret, creation_time: new Date().toISOString(), expires_at: -1 };
  return { status: 201, headers: { location: `/api/v2.0/robots/${String(id)}` }, json };
}

const strong = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,128}$/s;

function renew(exchange: Exchange, id: number, secret = ""): Reply {
  if (secret !== "" && !strong.test(secret))
    return refuse(
      400,
      "BAD_REQUEST",
      "the secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number",
    );
  const robot = exchange.state.robots.get(id);
  if (robot === undefined) return refuse(404, "NOT_FOUND", `robot ${String(id)} not found`);
  const projects = exchange.state.identities.get(robot.name)?.projects ?? {};
  return { status: 200, json: { secret: setSecret(exchange, robot.name, projects) } };
}

function setSecret({ state }: Exchange, name: string, projects: Readonly<Record<string, readonly Action[]>>): string {
  const secret = randomBytes(16).toString("hex");
  state.identities.set(name, { name, secret, projects });
  return secret;
}
