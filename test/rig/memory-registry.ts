import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "../../src/model/digest.ts";
import { reply, refusal, type Reply } from "./memory-registry/reply.ts";

/**
 * A writable registry inside this process, for where Debian's docker-registry is not: plain HTTP, no accounts, content in
 * memory. The contract suite that docker-registry passes is run against it too.
 */
export interface MemoryRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly url: string;
}

interface Manifest {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

class Repository {
  readonly blobs = new Map<string, Buffer>();
  /** By digest. */
  readonly manifests = new Map<string, Manifest>();
  readonly tags = new Map<string, string>();
  readonly uploads = new Map<string, Buffer[]>();
}

interface Call {
  readonly method: string;
  readonly name: string;
  /** Behind the kind: a digest, a tag, an upload session. */
  readonly pointer: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export async function aMemoryRegistry(): Promise<MemoryRegistry> {
  const repositories = new Map<string, Repository>();
  const server = createServer((request, response) => {
    answer(repositories, request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    host,
    url: `http://${host}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

const route = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\/(.*)$/;

async function answer(
  repositories: Map<string, Repository>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", headers } = request;
  const url = new URL(request.url ?? "/", "http://registry");
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const [, name, kind = "", pointer = ""] = route.exec(url.pathname) ?? [];
  const call = { method, name: name ?? "", pointer, query: url.searchParams, headers, body: Buffer.concat(chunks) };
  if (url.pathname === "/v2/") reply(response, method, { status: 200, body: Buffer.from("{}") });
  else if (name === undefined) reply(response, method, refusal(404, "UNSUPPORTED"));
  else reply(response, method, dispatch(repositories, kind, call));
}

function dispatch(repositories: Map<string, Repository>, kind: string, call: Call): Reply {
  const writes = kind === "blobs/uploads" || call.method === "PUT";
  const repository = repositories.get(call.name) ?? (writes ? new Repository() : undefined);
  if (repository === undefined) return refusal(404, "NAME_UNKNOWN");
  repositories.set(call.name, repository);
  switch (kind) {
    case "blobs/uploads":
      return upload(repositories, repository, call);
    case "blobs":
      return blob(repository, call);
    case "manifests":
      return call.method === "PUT" ? putManifest(repository, call) : getManifest(repository, call);
    case "tags":
      return { status: 200, body: Buffer.from(JSON.stringify({ name: call.name, tags: [...repository.tags.keys()] })) };
    default:
      // As docker-registry 2.8: there is no referrers API, clients fall back to a tag.
      return refusal(404, "UNSUPPORTED");
  }
}

function upload(repositories: ReadonlyMap<string, Repository>, repository: Repository, call: Call): Reply {
  if (call.method === "POST") return start(repositories, repository, call);
  const session = repository.uploads.get(call.pointer);
  if (session === undefined) return refusal(404, "BLOB_UPLOAD_UNKNOWN");
  session.push(call.body);
  const bytes = Buffer.concat(session);
  const here = `/v2/${call.name}/blobs/uploads/${call.pointer}`;
  if (call.method === "PATCH")
    return { status: 202, headers: { location: here, range: `0-${String(bytes.byteLength - 1)}` } };
  if (call.method !== "PUT") return refusal(405, "UNSUPPORTED");
  repository.uploads.delete(call.pointer);
  const digest = call.query.get("digest") ?? "";
  if (digestOf(bytes) !== digest) return refusal(400, "DIGEST_INVALID");
  repository.blobs.set(digest, bytes);
  return created(`/v2/${call.name}/blobs/${digest}`, digest);
}

function start(repositories: ReadonlyMap<string, Repository>, repository: Repository, { name, query }: Call): Reply {
  const digest = query.get("mount") ?? "";
  const mounted = repositories.get(query.get("from") ?? "")?.blobs.get(digest);
  if (mounted !== undefined) {
    repository.blobs.set(digest, mounted);
    return created(`/v2/${name}/blobs/${digest}`, digest);
  }
  const session = randomUUID();
  repository.uploads.set(session, []);
  return { status: 202, headers: { location: `/v2/${name}/blobs/uploads/${session}` } };
}

function blob(repository: Repository, { pointer, headers }: Call): Reply {
  const bytes = repository.blobs.get(pointer);
  if (bytes === undefined) return refusal(404, "BLOB_UNKNOWN");
  const common = { "docker-content-digest": pointer, "accept-ranges": "bytes" };
  const from = /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1];
  if (from === undefined) return { status: 200, headers: common, body: bytes };
  const size = String(bytes.byteLength);
  if (Number(from) >= bytes.byteLength) return refusal(416, "RANGE_INVALID", { "content-range": `bytes */${size}` });
  const range = `bytes ${from}-${String(bytes.byteLength - 1)}/${size}`;
  return { status: 206, headers: { ...common, "content-range": range }, body: bytes.subarray(Number(from)) };
}

function getManifest(repository: Repository, { pointer }: Call): Reply {
  const digest = repository.tags.get(pointer) ?? pointer;
  const manifest = repository.manifests.get(digest);
  if (manifest === undefined) return refusal(404, "MANIFEST_UNKNOWN");
  const headers = { "docker-content-digest": digest, "content-type": manifest.mediaType };
  return { status: 200, headers, body: manifest.bytes };
}

interface Document {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

function putManifest(repository: Repository, { name, pointer, headers, body }: Call): Reply {
  const digest = digestOf(body);
  if (pointer.startsWith("sha256:") && pointer !== digest) return refusal(400, "DIGEST_INVALID");
  const document = parse(body);
  if (document === undefined) return refusal(400, "MANIFEST_INVALID");
  const { config, layers = [], manifests = [] } = document;
  const blobs = [...(config === undefined ? [] : [config]), ...layers];
  const complete =
    blobs.every((each) => repository.blobs.has(each.digest)) &&
    manifests.every((each) => repository.manifests.has(each.digest));
  if (!complete) return refusal(400, "MANIFEST_BLOB_UNKNOWN");
  repository.manifests.set(digest, { bytes: body, mediaType: headers["content-type"] ?? "" });
  if (pointer !== digest) repository.tags.set(pointer, digest);
  return created(`/v2/${name}/manifests/${digest}`, digest);
}

function parse(body: Buffer): Document | undefined {
  try {
    return JSON.parse(body.toString("utf8")) as Document;
  } catch {
    return undefined;
  }
}

function created(location: string, digest: string): Reply {
  return { status: 201, headers: { location, "docker-content-digest": digest } };
}
