import { randomBytes } from "node:crypto";
import { readBody, refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import type { Action, Identity } from "./state.ts";

const namePattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

interface RobotDocument {
  readonly name?: string;
  readonly level?: string;
  readonly duration?: number;
  readonly permissions?: readonly {
    readonly namespace?: string;
    readonly access?: readonly { readonly resource?: string; readonly action?: string }[];
  }[];
}

/** docs/facts/harbor.md#robot-accounts. */
export async function handleRobots(exchange: Exchange, identity: Identity | undefined, path: string): Promise<Outcome> {
  const { request, state } = exchange;
  if (identity?.admin !== true) return refuse(403, "FORBIDDEN", "forbidden");
  if (request.method === "GET") {
    const [page, size] = ["page", "page_size"].map((name) => Number(exchange.url.searchParams.get(name)));
    const start = ((page || 1) - 1) * (size || 10);
    return { status: 200, json: [...state.robots.values()].slice(start, start + (size || 10)) };
  }
  const body = JSON.parse(((await readBody(request, 65_536)) ?? Buffer.from("{}")).toString()) as RobotDocument;
  if (request.method === "PATCH") return renew(exchange, Number(path.split("/")[2]));
  return wrong(exchange, body) ?? create(exchange, body);
}

function wrong(
  { state }: Exchange,
  { name = "", level, duration = 0, permissions = [] }: RobotDocument,
): Reply | undefined {
  if (!namePattern.test(name)) return refuse(400, "BAD_REQUEST", "bad request: robot name");
  if (duration === 0 && !state.isBefore(2, 11)) return refuse(400, "BAD_REQUEST", "bad request duration: 0");
  if (level !== "project" || permissions.length !== 1) return refuse(400, "BAD_REQUEST", "bad request permission");
  return undefined;
}

function create(exchange: Exchange, { name = "", permissions = [] }: RobotDocument): Reply {
  const { state } = exchange;
  const project = permissions[0]?.namespace ?? "";
  const full = `robot$${project}+${name}`;
  if (state.identities.has(full)) return refuse(409, "CONFLICT", `robot account ${name} already exists`);
  const id = state.robots.size + 1;
  state.robots.set(id, { id, name: full, level: "project", project });
  const access = permissions[0]?.access ?? [];
  const actions = access.filter(({ resource }) => resource === "repository").map(({ action }) => action as Action);
  const secret = setSecret(exchange, full, { [project]: actions });
  const json = { id, name: full, secret, creation_time: new Date().toISOString(), expires_at: -1 };
  return { status: 201, headers: { location: `/api/v2.0/robots/${String(id)}` }, json };
}

function renew(exchange: Exchange, id: number): Reply {
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
