import { createHash } from "node:crypto";
import type { Backend } from "./backend.ts";
import { exceeds, proxied } from "./blobs.ts";
import { readBody, refuse, type Exchange, type Outcome, type Reply } from "./exchange.ts";
import { quotaSentence, type Artifact, type Project } from "./state.ts";

export interface ManifestRequest {
  readonly exchange: Exchange;
  readonly project: Project;
  /** Without the project. */
  readonly repository: string;
  readonly pointer: string;
  readonly backend: Backend;
}

const limit = 4 * 1024 ** 2;

interface Document {
  readonly mediaType?: string;
  readonly config?: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly layers?: readonly { readonly digest: string; readonly size: number }[];
  readonly manifests?: readonly { readonly digest: string }[];
  readonly artifactType?: string;
  readonly subject?: { readonly digest: string };
}

export async function handleManifest(request: ManifestRequest): Promise<Outcome> {
  if (request.exchange.request.method === "PUT") return put(request);
  const { exchange, project, repository, pointer, backend } = request;
  const artifacts = project.artifacts.get(repository);
  if (artifacts === undefined) return refuse(404, "NOT_FOUND", `repository ${project.name}/${repository} not found`);
  const artifact = find(artifacts, pointer);
  const mark = pointer.startsWith("sha256:") ? "@" : ":";
  if (artifact === undefined)
    return refuse(404, "NOT_FOUND", `artifact ${project.name}/${repository}${mark}${pointer} not found`);
  const policy = blockedBy(project, artifact);
  if (policy !== undefined) return refuse(412, "PROJECTPOLICYVIOLATION", policy);
  // A tag is read by its digest, as core does since it keeps tags itself (2.15).
  return backend.pass(exchange, { path: `/v2/${project.name}/${repository}/manifests/${artifact.digest}` });
}

export function find(artifacts: ReadonlyMap<string, Artifact> | undefined, pointer: string): Artifact | undefined {
  return artifacts?.get(pointer) ?? [...(artifacts?.values() ?? [])].find(({ tags }) => tags.has(pointer));
}

function blockedBy(project: Project, { configType }: Artifact): string | undefined {
  if (project.contentTrust) return "The image is not signed by cosign.";
  // Only what a scanner can read is blocked; charts and plugins are not (docs/facts/harbor.md#policies).
  const isScannable = /image\.(config|v1)|container\.image/.test(configType);
  return project.preventVulnerable && isScannable
    ? "current image without vulnerability scanning cannot be pulled due to configured policy in " +
        `'Prevent images with vulnerability severity of "High" or higher from running.'`
    : undefined;
}

interface Put extends ManifestRequest {
  readonly body: Buffer;
  readonly digest: string;
  readonly document: Document;
}

/** In core's order (docs/facts/harbor.md#manifest-put); what none of them refuses goes to the registry. */
const refusals: readonly ((put: Put) => Reply | undefined)[] = [
  ({ project }) => (project.proxy ? proxied(project) : undefined),
  immutable,
  ({ project, body, digest }) => {
    const adding = project.used.has(digest) ? 0 : body.byteLength;
    return exceeds(project, adding) ? refuse(403, "DENIED", quotaSentence(project, adding)) : undefined;
  },
];

async function put(request: ManifestRequest): Promise<Outcome> {
  const { exchange, backend } = request;
  const body = await readBody(exchange.request, limit);
  if (body === undefined)
    return exchange.state.isBefore(2, 16)
      ? refuse(400, "MANIFEST_INVALID", "manifest invalid")
      : refuse(413, "REQUEST_ENTITY_TOO_LARGE", "request entity too large");
  const document = parse(body);
  const wrong = unread(exchange.request.headers["content-type"], body.toString("utf8"), document);
  if (document === undefined || wrong !== undefined)
    return refuse(400, "MANIFEST_INVALID", `unmarshal manifest failed: ${wrong ?? ""}`);
  const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
  const made: Put = { ...request, body, digest, document };
  for (const refusal of refusals) {
    const reply = refusal(made);
    if (reply !== undefined) return reply;
  }
  if (!exchange.state.isBefore(2, 10) && (await breaksOnConfig(made)))
    return refuse(500, "UNKNOWN", "internal server error");
  const { subject } = document;
  const status = await backend.forward(exchange, {
    body,
    ...(subject && { adding: { "oci-subject": subject.digest } }),
  });
  if (status === 201) record(made);
  return "answered";
}

function immutable({ project, repository, pointer }: Put): Reply | undefined {
  const name = `${repository}:${pointer}`;
  const isGuarded = project.immutable.some((pattern) => pattern === "*" || pattern === name);
  const isTagged = !pointer.startsWith("sha256:") && find(project.artifacts.get(repository), pointer) !== undefined;
  return isGuarded && isTagged
    ? refuse(412, "PRECONDITION", `Failed to process request due to '${name}' configured as immutable.`)
    : undefined;
}

function parse(body: Buffer): Document | undefined {
  try {
    return JSON.parse(body.toString("utf8")) as Document;
  } catch {
    return undefined;
  }
}

/** Why distribution does not read it, in the words of its Go; what depends on the media type comes first. */
function unread(type: string | undefined, text: string, document: Document | undefined): string | undefined {
  if (text === "") return "unexpected end of JSON input";
  if (document === undefined) return `invalid character '${text.charAt(1)}' looking for beginning of object key string`;
  if (type === undefined || type === "application/json") return "missing signature key";
  const { mediaType } = document;
  const isDocker = type.startsWith("application/vnd.docker.");
  return isDocker && mediaType !== undefined && mediaType !== type
    ? `mediaType in manifest should be '${type}' not '${mediaType}'`
    : undefined;
}

/** docs/facts/harbor.md#config-must-be-json: of images and of what is named like a config, core reads an object. */
async function breaksOnConfig({ project, repository, document: { config }, backend }: Put): Promise<boolean> {
  if (config === undefined) return false;
  const isImage = /image\.(config|v1)|container\.image/.test(config.mediaType);
  const isRead = isImage || /^application\/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$/.test(config.mediaType);
  if (!isRead) return false;
  if (config.size === 0) return !isImage;
  const text = await backend.blob(`${project.name}/${repository}`, config.digest);
  // What is missing is the registry's to refuse.
  if (text === undefined) return false;
  try {
    const read: unknown = JSON.parse(text);
    return typeof read !== "object" || read === null || Array.isArray(read);
  } catch {
    return true;
  }
}

function artifactOf({ exchange, body, digest, document }: Put): Artifact {
  const { config, layers = [], artifactType, subject } = document;
  const mediaType = exchange.request.headers["content-type"] ?? "";
  const content = (config?.size ?? 0) + layers.reduce((sum, layer) => sum + layer.size, 0);
  return {
    digest,
    mediaType,
    configType: config?.mediaType ?? mediaType,
    size: body.byteLength + content,
    bytes: body.byteLength,
    artifactType: artifactType ?? config?.mediaType ?? "",
    subject: subject?.digest,
    tags: new Set<string>(),
  };
}

function record(put: Put): void {
  const { project, repository, pointer, body, digest } = put;
  const artifacts = project.artifacts.get(repository) ?? new Map<string, Artifact>();
  project.artifacts.set(repository, artifacts);
  project.used.set(digest, body.byteLength);
  const artifact = artifacts.get(digest) ?? artifactOf(put);
  artifacts.set(digest, artifact);
  if (pointer.startsWith("sha256:")) return;
  for (const other of artifacts.values()) other.tags.delete(pointer);
  artifact.tags.add(pointer);
}
