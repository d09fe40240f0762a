import { unauthorized } from "./auth.ts";
import type { Backend } from "./backend.ts";
import { page, refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import { quotaSentence, usedBytes, type Action, type Project } from "./state.ts";

export interface BlobRequest {
  readonly exchange: Exchange;
  readonly project: Project;
  readonly backend: Backend;
  /** What the same credentials may do in another project; undefined when there is none of that name. */
  readonly actionsIn: (project: string) => readonly Action[] | undefined;
  readonly onUploaded: (bytes: number) => void;
}

/** Uploads (docs/facts/harbor.md#uploads): core looks first, the registry behind it does the work. */
export async function handleUpload(upload: BlobRequest): Promise<Outcome> {
  const { exchange, backend } = upload;
  const { bodyLimit } = exchange.state.switches;
  // nginx answers before it reads, and closes.
  if (bodyLimit !== undefined && lengthOf(exchange) > bodyLimit) return page(413, { connection: "close" });
  switch (exchange.request.method ?? "GET") {
    case "POST":
      return start(upload);
    case "PUT":
      return finish(upload);
    case "PATCH":
      return patch(upload);
    default:
      return backend.pass(exchange);
  }
}

async function start(upload: BlobRequest): Promise<Outcome> {
  const { exchange, project, backend } = upload;
  if (project.proxy) return proxied(project);
  const from = exchange.url.searchParams.get("from");
  const blob = exchange.url.searchParams.get("mount");
  // An upload is let begin though nothing is left: only what comes is counted.
  return blob === null || from === null ? backend.pass(exchange) : mount(upload, blob, from);
}

async function mount(
  { exchange, project, backend, actionsIn }: BlobRequest,
  blob: string,
  from: string,
): Promise<Outcome> {
  const { state, url } = exchange;
  const source = from.split("/")[0] ?? "";
  const adding = state.projects.get(source)?.used.get(blob) ?? 0;
  const refused = unreadable(exchange, from, actionsIn(source));
  if (refused !== undefined) return refused;
  if (!project.used.has(blob) && exceeds(project, adding)) return refuse(403, "DENIED", quotaSentence(project, adding));
  // Without its query the backend opens an upload session: 202, as for a source that lacks the blob.
  const status = await backend.forward(exchange, state.switches.mounts ? {} : { path: url.pathname });
  if (status === 201) project.used.set(blob, adding);
  return "answered";
}

/** Why the source of a mount may not be read. */
function unreadable(exchange: Exchange, from: string, held: readonly Action[] | undefined): Reply | undefined {
  if (!from.includes("/")) return refuse(400, "BAD_REQUEST", `bad request: invalid repository name: ${from}`);
  const source = from.split("/")[0] ?? "";
  if (!exchange.state.projects.has(source)) {
    const message = `project ${source} not found`;
    return refuse(401, "UNAUTHORIZED", `${message}: ${message}`, { "www-authenticate": "" });
  }
  if (held?.includes("pull") !== true)
    return unauthorized(
      exchange,
      `unauthorized to access repository: ${from}, action: pull`,
      `repository:${from}:pull`,
    );
  return undefined;
}

/** A part is taken whatever the quota says: what counts is the blob that the closing PUT names. */
async function patch({ exchange, project, backend, onUploaded }: BlobRequest): Promise<Outcome> {
  const session = exchange.url.pathname;
  return backend.pass(exchange, {
    onBytes(bytes) {
      project.sessions.set(session, (project.sessions.get(session) ?? 0) + bytes);
      onUploaded(bytes);
    },
  });
}

async function finish({ exchange, project, backend, onUploaded }: BlobRequest): Promise<Outcome> {
  const digest = exchange.url.searchParams.get("digest");
  if (digest === null) return refuse(400, "BAD_REQUEST", "exist blob require digest");
  const length = lengthOf(exchange) + (project.sessions.get(exchange.url.pathname) ?? 0);
  const adding = project.used.has(digest) ? 0 : length;
  if (exceeds(project, adding)) {
    if (!exchange.state.switches.quotaResets)
      return refuse(403, "DENIED", quotaSentence(project, adding), { connection: "close" });
    exchange.request.socket.destroy();
    return "answered";
  }
  const status = await backend.forward(exchange, { onBytes: onUploaded });
  if (status === 201) project.used.set(digest, Math.max(length, project.used.get(digest) ?? 0));
  return "answered";
}

function lengthOf({ request }: Exchange): number {
  return Number(request.headers["content-length"] ?? 0);
}

export function exceeds(project: Project, adding: number): boolean {
  return project.quota >= 0 && usedBytes(project) + adding > project.quota;
}

export function proxied(project: Project): Reply {
  return refuse(403, "DENIED", `denied: can not push artifact to a proxy project: ${project.name}`);
}
