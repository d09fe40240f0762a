import { isDigest, type Digest } from "./digest.ts";
import { Failure } from "./failure.ts";

/** A full image reference: the registry is always said, and at least one of tag and digest. */
export interface Reference {
  /** Host with an optional port. Docker Hub is `docker.io`, as people write it. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest?: Digest | undefined;
}

// https://github.com/distribution/reference, the grammar; anchored, and bounded by the length check below.
const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const hostPattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const repositoryPattern = new RegExp(`^(?=.{1,255}$)${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * Reads `nginx`, `host:5000/a/b:tag@sha256:…`, with or without `oci://`. Docker Hub's shorthands are written out
 * (`docker.io/library/nginx:latest`).
 * @throws Failure REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  const refuse = (why: string): Failure => new Failure("REFERENCE_INVALID", { value: text.slice(0, 300), why });
  if (text.length > 512) throw refuse("length");
  const foreign = foreignCharacter(text);
  if (foreign !== undefined) throw refuse(foreign);
  const [named = "", digest, ...more] = withoutOci(text).split("@");
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) throw refuse("digest");
  const { host, rest } = splitHost(named);
  const { path, tag } = splitTag(rest);
  const repository = officialPath(host, path);
  if (!isHost(host)) throw refuse("registry");
  if (!isRepository(repository)) throw refuse("repository");
  if (tag !== undefined && !tagPattern.test(tag)) throw refuse("tag");
  return withPointer({ registry: host, repository }, tag, digest);
}

/** The first character that no reference can have, as `U+FF1A`: pasted from a document, it looks like another one or like none. */
export function foreignCharacter(text: string): string | undefined {
  const point = /[^!-~]/u.exec(text)?.[0].codePointAt(0);
  return point === undefined ? undefined : `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** `nginx` on Docker Hub is `library/nginx`. */
function officialPath(host: string, path: string): string {
  return host === "docker.io" && !path.includes("/") ? `library/${path}` : path;
}

function withPointer(name: { registry: string; repository: string }, tag?: string, digest?: Digest): Reference {
  if (digest !== undefined) return tag === undefined ? { ...name, digest } : { ...name, tag, digest };
  return { ...name, tag: tag ?? "latest" };
}

function splitTag(rest: string): { path: string; tag: string | undefined } {
  const colon = rest.lastIndexOf(":");
  return colon < 0 ? { path: rest, tag: undefined } : { path: rest.slice(0, colon), tag: rest.slice(colon + 1) };
}

/** The first segment is a host when it could not be a repository of Docker Hub: a dot, a port, or `localhost`. */
function splitHost(named: string): { host: string; rest: string } {
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  if (!/[.:[]/.test(first) && first !== "localhost") return { host: "docker.io", rest: named };
  const host = first === "index.docker.io" ? "docker.io" : first;
  return { host, rest: named.slice(slash + 1) };
}

/** A host with an optional port, or an IPv6 address in brackets; whatever an URL could not be made of is none. */
export function isHost(text: string): boolean {
  return text.length <= 255 && hostPattern.test(text) && URL.canParse(`https://${text}/`);
}

export function isRepository(text: string): boolean {
  return repositoryPattern.test(text);
}

export function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

export function printReference(reference: Reference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${reference.registry}/${reference.repository}${tag}${digest}`;
}

/** The reference that a plugin's URL names, with or without `oci://`; `undefined` for what is no reference. */
export function ociReference(url: string): string | undefined {
  const text = withoutOci(url);
  return isReference(text) ? printReference(parseReference(text)) : undefined;
}

/** Hosts of references and of `oci://` URLs, each once; what is neither has none. */
export function registriesOf(references: readonly string[]): readonly string[] {
  const names = references.map(withoutOci).filter(isReference);
  return [...new Set(names.map((name) => parseReference(name).registry))];
}

/** What a URL names in a registry. Gateways read the scheme as URLs have it: in any case. */
export function withoutOci(url: string): string {
  return url.replace(/^oci:\/\//i, "");
}

/** What stands in the path of `/v2/<name>/manifests/<here>`: the digest when there is one. */
export function pointer(reference: Reference): string {
  return reference.digest ?? reference.tag ?? "latest";
}
