import pMap from "p-map";
import type { Descriptor } from "../model/descriptor.ts";
import type { Digest } from "../model/digest.ts";
import type { LockItem } from "../model/lock.ts";
import { parseManifest } from "../model/manifest.ts";
import { parseReference, type Reference } from "../model/reference.ts";
import { readGraph, type Graph } from "./graph.ts";
import type { DescribedContent, Fetcher } from "./store.ts";

/** What a read-only registry serves: names and tags over content that a `Fetcher` holds. */
export interface Catalog {
  readonly content: Fetcher;
  /** Repository names, sorted: `/v2/_catalog`. */
  repositories(): readonly string[];
  /** Tags of a repository, sorted; `undefined` when there is no such repository. */
  tags(repository: string): readonly string[] | undefined;
  /** The manifest of a tag or digest. */
  manifest(repository: string, pointer: string): Descriptor | undefined;
  /** A blob that some manifest of this repository names. */
  blob(repository: string, digest: Digest): Descriptor | undefined;
  /** Manifests whose `subject` is this digest. */
  referrers(repository: string, digest: Digest): readonly Descriptor[];
}

interface BundleCatalogOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What one repository name answers. A tag that two sources would answer differently is `ambiguous`: it has none. */
interface Repository {
  readonly tags: Map<string, Descriptor | "ambiguous">;
  readonly manifests: Map<Digest, Descriptor>;
  readonly blobs: Map<Digest, Descriptor>;
  readonly referrers: Map<Digest, Map<Digest, Descriptor>>;
}

/**
 * The items of a bundle as a registry: each under `{path}`, which is what a containerd mirror asks for, and under
 * `{host}/{path}`, which is never ambiguous. Reads every manifest (verified) and no blob.
 */
export async function bundleCatalog(
  items: readonly LockItem[],
  content: Fetcher,
  options: BundleCatalogOptions = {},
): Promise<Catalog> {
  const { signal } = options;
  const graphs = await pMap(items, (item) => readGraph(content, item.root, "bundle", signal), { concurrency: 8 });
  const repositories = new Map<string, Repository>();
  for (const [at, item] of items.entries()) {
    const graph = graphs[at];
    if (graph === undefined) continue;
    const listing = listGraph(graph);
    for (const reference of [item.reference, ...item.aliases].map(parseReference)) {
      for (const name of namesOf(reference)) addTo(repositories, name, reference.tag, listing);
    }
  }
  return catalogOf(repositories, content);
}

/** A repository name in which `host:port` is legal: `host_port`, and an IPv6 address without its brackets. */
export function hostSegment(host: string): string {
  return host.toLowerCase().replaceAll(/[[\]]/g, "").replaceAll(/:+/g, "_").replace(/^_/, "0_");
}

/**
 * The repository that a request means. containerd tells a mirror which registry it stands for by `?ns=`; when the
 * bundle has anything of that registry, only its repositories may answer. What `install` writes into a release begins with
 * the project of the site file, of which this server knows nothing: what stands before a name that is known may be any.
 */
export function repositoryFor(catalog: Catalog, name: string, namespace: string | undefined): string {
  if (namespace !== undefined) {
    const host = hostSegment(namespace === "registry-1.docker.io" ? "docker.io" : namespace);
    const known = catalog.repositories().some((repository) => repository.startsWith(`${host}/`));
    if (known) return `${host}/${name}`;
  }
  const segments = name.split("/");
  const meant = segments.map((_, at) => segments.slice(at).join("/")).find((each) => catalog.tags(each) !== undefined);
  return meant ?? name;
}

/** The name under which the server gives out a reference, never ambiguous: `quay.io/higress/gateway:2.2.4`. */
export function servedName(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  return `${hostSegment(registry)}/${repository}${digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`}`;
}

function namesOf({ registry, repository }: Reference): readonly string[] {
  return [repository, `${hostSegment(registry)}/${repository}`];
}

interface Listing {
  readonly graph: Graph;
  readonly subjects: readonly { readonly of: Digest; readonly referrer: Descriptor }[];
}

function listGraph(graph: Graph): Listing {
  return { graph, subjects: graph.manifests.flatMap((node) => referrerOf(node) ?? []) };
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers: what an entry must say. */
function referrerOf({ descriptor, bytes }: DescribedContent): { of: Digest; referrer: Descriptor } | undefined {
  const manifest = parseManifest(bytes, descriptor.mediaType);
  if (manifest.subject === undefined) return undefined;
  const { mediaType, digest, size } = descriptor;
  const type = manifest.artifactType ?? (manifest.kind === "image" ? manifest.config.mediaType : undefined);
  const artifactType = type === undefined ? {} : { artifactType: type };
  const annotations = manifest.annotations === undefined ? {} : { annotations: manifest.annotations };
  return { of: manifest.subject.digest, referrer: { mediaType, digest, size, ...artifactType, ...annotations } };
}

function addTo(repositories: Map<string, Repository>, name: string, tag: string | undefined, listing: Listing): void {
  const { graph, subjects } = listing;
  const empty = (): Repository => ({ tags: new Map(), manifests: new Map(), blobs: new Map(), referrers: new Map() });
  const repository = repositories.get(name) ?? empty();
  repositories.set(name, repository);
  if (tag !== undefined) {
    const taken = repository.tags.get(tag);
    const same = taken === undefined || (taken !== "ambiguous" && taken.digest === graph.root.digest);
    repository.tags.set(tag, same ? graph.root : "ambiguous");
  }
  for (const { descriptor } of graph.manifests) repository.manifests.set(descriptor.digest, descriptor);
  for (const blob of graph.blobs) repository.blobs.set(blob.digest, blob);
  for (const { of, referrer } of subjects) {
    const known = repository.referrers.get(of) ?? new Map<Digest, Descriptor>();
    repository.referrers.set(of, known.set(referrer.digest, referrer));
  }
}

function catalogOf(repositories: ReadonlyMap<string, Repository>, content: Fetcher): Catalog {
  const names = [...repositories.keys()].sort();
  const tagOf = (repository: Repository | undefined, tag: string): Descriptor | undefined => {
    const descriptor = repository?.tags.get(tag);
    return descriptor === "ambiguous" ? undefined : descriptor;
  };
  return {
    content,
    repositories: () => names,
    tags: (name) => {
      const repository = repositories.get(name);
      return repository && [...repository.tags.keys()].filter((tag) => tagOf(repository, tag)).sort();
    },
    manifest: (name, pointer) => {
      const repository = repositories.get(name);
      return tagOf(repository, pointer) ?? repository?.manifests.get(pointer as Digest);
    },
    blob: (name, digest) => repositories.get(name)?.blobs.get(digest),
    referrers: (name, digest) => [...(repositories.get(name)?.referrers.get(digest)?.values() ?? [])],
  };
}
