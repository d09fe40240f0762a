import { Readable } from "node:stream";
import { repositoryFor, type Catalog } from "../../content/bundle-catalog.ts";
import type { PluginFile } from "../../content/plugin-tree.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { digestOf, isDigest, type Digest } from "../../model/digest.ts";
import { MediaType } from "../../model/media-type.ts";
import { json, refusal, accepts, type Answer, type Content, type Headers } from "./answer.ts";

/** A request that found its route. `name` is the repository as it was asked for. */
interface Call {
  readonly path: string;
  readonly name: string;
  /** The last segment: a tag, a digest, or a file. */
  readonly item: string;
  readonly query: URLSearchParams;
  readonly accept: string | undefined;
  /** How the client reached us, as far as its `Host` header can be one. */
  readonly host: string | undefined;
}

export interface Served {
  readonly catalog: Catalog | undefined;
  readonly plugins: ReadonlyMap<string, PluginFile> | undefined;
  /** HTML for a browser. `host`: the name and port under which it found us. */
  readonly home: ((host: string | undefined) => string) | undefined;
}

export type Operation = (served: Served, call: Call) => Answer;

export const health: Operation = () => json({ status: "ok" });

export const version: Operation = () => json({});

export const answerHome: Operation = ({ home }, { host }) => {
  if (home === undefined) return refusal("NOT_FOUND");
  const bytes = Buffer.from(home(host), "utf8");
  const content: Content = {
    size: bytes.byteLength,
    digest: digestOf(bytes),
    open: (offset) => Readable.from([bytes.subarray(offset)]),
  };
  return { kind: "content", content, headers: { "Content-Type": "text/html; charset=utf-8" } };
};

export const answerRepositories: Operation = ({ catalog }, { query }) => {
  const listed = page(catalog?.repositories() ?? [], query, "/v2/_catalog");
  return listed === undefined ? badPage(query) : json({ repositories: listed.names }, listed.headers);
};

export const answerTags: Operation = ({ catalog }, call) => {
  const tags = catalog?.tags(repositoryOf(catalog, call));
  if (tags === undefined) return refusal("NAME_UNKNOWN", { name: call.name });
  const listed = page(tags, call.query, `/v2/${call.name}/tags/list`);
  return listed === undefined ? badPage(call.query) : json({ name: call.name, tags: listed.names }, listed.headers);
};

export const answerManifest: Operation = ({ catalog }, call) => {
  const { name, item, accept } = call;
  const repository = catalog && repositoryOf(catalog, call);
  if (catalog === undefined || repository === undefined || catalog.tags(repository) === undefined)
    return refusal("NAME_UNKNOWN", { name });
  if (item.includes(":") && !isDigest(item)) return refusal("DIGEST_INVALID", { digest: item });
  const manifest = catalog.manifest(repository, item);
  if (manifest === undefined) return refusal("MANIFEST_UNKNOWN", { name, reference: item });
  // As distribution does: the client could not read it, and this says what it is.
  if (!accepts(accept, manifest.mediaType)) return refusal("MANIFEST_UNKNOWN", { mediaType: manifest.mediaType });
  return blobAnswer(catalog, manifest, manifest.mediaType);
};

export const answerBlob: Operation = ({ catalog }, call) => {
  const { name, item } = call;
  if (!isDigest(item)) return refusal("DIGEST_INVALID", { digest: item });
  const blob = catalog?.blob(repositoryOf(catalog, call), item);
  if (catalog === undefined || blob === undefined) return refusal("BLOB_UNKNOWN", { name, digest: item });
  return blobAnswer(catalog, blob, "application/octet-stream");
};

export const answerReferrers: Operation = ({ catalog }, call) => {
  const { name, item, query } = call;
  if (!isDigest(item)) return refusal("DIGEST_INVALID", { digest: item });
  const repository = catalog && repositoryOf(catalog, call);
  if (catalog === undefined || repository === undefined || catalog.tags(repository) === undefined)
    return refusal("NAME_UNKNOWN", { name });
  const wanted = query.get("artifactType");
  const manifests = catalog
    .referrers(repository, item)
    .filter(({ artifactType }) => wanted === null || artifactType === wanted);
  const filtered = wanted === null ? {} : { "OCI-Filters-Applied": "artifactType" };
  const index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests };
  return json(index, { "Content-Type": MediaType.ociIndex, ...filtered });
};

const fileTypes: Readonly<Record<string, string>> = {
  wasm: "application/wasm",
  txt: "text/plain; charset=utf-8",
  json: "application/json",
};

export const answerPluginFile: Operation = ({ plugins }, { path, item }) => {
  const file = plugins?.get(path.slice(1));
  if (file === undefined) return refusal("NOT_FOUND", { path });
  const content: Content = {
    size: file.size,
    digest: `sha256:${file.sha256}` as Digest,
    open: (offset, signal) => file.open(offset, signal),
  };
  const type = fileTypes[item.slice(item.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  return { kind: "content", content, headers: { "Content-Type": type } };
};

function repositoryOf(catalog: Catalog, { name, query }: Call): string {
  return repositoryFor(catalog, name, query.get("ns") ?? undefined);
}

function blobAnswer(catalog: Catalog, descriptor: Descriptor, type: string): Answer {
  const { size, digest } = descriptor;
  const open: Content["open"] = (offset, signal) => catalog.content.fetch(descriptor, { offset, signal });
  return {
    kind: "content",
    content: { size, digest, open },
    headers: { "Content-Type": type, "Docker-Content-Digest": digest },
  };
}

function badPage(query: URLSearchParams): Answer {
  return refusal("PAGINATION_NUMBER_INVALID", { n: query.get("n")?.slice(0, 40) });
}

interface Page {
  readonly names: readonly string[];
  readonly headers: Headers;
}

/**
 * One page of sorted `names`: those after `last`, at most `n`, with a Link to the rest when there is one.
 * `undefined` when `n` is no number. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
function page(names: readonly string[], query: URLSearchParams, path: string): Page | undefined {
  const asked = query.get("n");
  if (asked !== null && !/^\d{1,9}$/.test(asked)) return undefined;
  const last = query.get("last");
  const rest = last === null ? names : names.filter((name) => name > last);
  const count = asked === null ? rest.length : Number(asked);
  const shown = rest.slice(0, count);
  const end = shown.at(-1);
  if (end === undefined || shown.length === rest.length) return { names: shown, headers: {} };
  const next = new URLSearchParams(query);
  next.set("last", end);
  return { names: shown, headers: { Link: `<${path}?${next.toString()}>; rel="next"` } };
}
