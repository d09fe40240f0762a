import { readSmall } from "../../content/verified.ts";
import type { BundleDocument } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { parseManifest, successors, type Manifest } from "../../model/manifest.ts";
import { isManifest } from "../../model/media-type.ts";
import type { VerifiedBundle } from "./ports.ts";

type Item = BundleDocument["items"][number];

/** Which items need which blob, and what is wrong with how they hang together. */
export interface Contents {
  readonly users: ReadonlyMap<Digest, readonly string[]>;
  readonly findings: readonly Finding[];
  /** Manifests that could be read, by digest. */
  readonly manifests: ReadonlyMap<Digest, Manifest>;
}

/** Nobody builds deeper, and a hostile graph must end. */
const maxDepth = 4;

/**
 * Walks every item down to its blobs. What cannot be read is a finding and the walk goes on, so that one damaged
 * manifest does not hide the others. Blobs that a delta expects elsewhere are neither read nor missed.
 */
export async function readContents(bundle: VerifiedBundle, signal?: AbortSignal): Promise<Contents> {
  const walk = new Walk(bundle, signal);
  for (const item of bundle.document.items) await walk.item(item);
  return { users: walk.users, findings: [...walk.findings(), ...walk.unlisted()], manifests: walk.manifests };
}

class Walk {
  readonly users = new Map<Digest, string[]>();
  readonly manifests = new Map<Digest, Manifest>();
  readonly #bundle: VerifiedBundle;
  readonly #signal: AbortSignal | undefined;
  readonly #listed: ReadonlySet<string>;
  readonly #absent: ReadonlySet<string>;
  readonly #missing = new Set<Digest>();
  readonly #unusable = new Map<Digest, string>();
  /** Some manifest could not be read: what it names is not known. */
  #blind = false;

  constructor(bundle: VerifiedBundle, signal: AbortSignal | undefined) {
    this.#bundle = bundle;
    this.#signal = signal;
    this.#listed = new Set(bundle.document.blobs.map(({ digest }) => digest));
    this.#absent = new Set(bundle.document.delta?.absent);
  }

  async item(item: Item): Promise<void> {
    await this.#visit(item.root, item.reference, 0);
  }

  findings(): readonly Finding[] {
    const items = (digest: Digest): string => (this.users.get(digest) ?? []).join(", ");
    return [
      ...[...this.#missing].map((digest) => finding("error", "bundle.blob-missing", { digest, items: items(digest) })),
      ...[...this.#unusable].map(([digest, why]) =>
        finding("error", "bundle.manifest-unusable", { digest, why, items: items(digest) }),
      ),
    ];
  }

  /** Blobs that no item needs: harmless, but nobody asked for them. */
  unlisted(): readonly Finding[] {
    if (this.#blind) return [];
    const unused = this.#bundle.document.blobs.filter(({ digest }) => !this.users.has(digest));
    return unused.map(({ digest }) => finding("warning", "bundle.blob-unlisted", { digest }));
  }

  async #visit(descriptor: Descriptor, item: string, depth: number): Promise<void> {
    const { digest } = descriptor;
    const users = this.users.get(digest) ?? [];
    if (users.at(-1) === item) return;
    this.users.set(digest, [...users, item]);
    if (!this.#listed.has(digest)) this.#missing.add(digest);
    else if (isManifest(descriptor.mediaType)) await this.#below(descriptor, item, depth);
  }

  async #below(descriptor: Descriptor, item: string, depth: number): Promise<void> {
    const manifest = depth > maxDepth ? undefined : await this.#manifest(descriptor);
    if (manifest === undefined) this.#blind = true;
    else for (const child of successors(manifest)) await this.#visit(child, item, depth + 1);
  }

  async #manifest(descriptor: Descriptor): Promise<Manifest | undefined> {
    const { digest, mediaType } = descriptor;
    const known = this.manifests.get(digest);
    if (known !== undefined || this.#absent.has(digest) || this.#unusable.has(digest)) return known;
    try {
      const bytes = await readSmall(this.#bundle, descriptor, "bundle", this.#signal);
      const manifest = parseManifest(bytes, mediaType);
      this.manifests.set(digest, manifest);
      return manifest;
    } catch (error) {
      if (isFailure(error, "MANIFEST_INVALID")) this.#unusable.set(digest, error.facts.why);
      else if (isFailure(error, "CONTENT_MISMATCH"))
        this.#unusable.set(digest, `${error.facts.wanted} / ${error.facts.got}`);
      else if (isFailure(error, "FILE_UNREADABLE")) this.#unusable.set(digest, error.facts.reason);
      else throw error;
      return undefined;
    }
  }
}
