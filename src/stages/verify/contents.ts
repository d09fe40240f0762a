import { maxGraphDepth } from "../../content/graph.ts";
import { readSmall } from "../../content/verified.ts";
import type { BundleDocument } from "../../model/bundle.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import type { Digest } from "../../model/digest.ts";
import { isFailure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { parseManifest, successors, type ImageIndex, type Manifest } from "../../model/manifest.ts";
import { isManifest } from "../../model/media-type.ts";
import { anyMatches, printPlatform, type Platform } from "../../model/platform.ts";
import { abridged } from "../../std/abridged.ts";
import type { VerifiedBundle } from "./ports.ts";

type Item = BundleDocument["items"][number];

/** How many items a finding names: of ten thousand that share a layer, each finding would be a MiB. */
const mostNamed = 20;

/** Which items need which blob, and what is wrong with how they hang together. */
export interface Contents {
  /** Every digest that an item needs. */
  readonly needed: readonly Digest[];
  /** References of the items that need one of these, in the order of the bundle. */
  readonly itemsOf: (digests: Iterable<Digest>) => readonly string[];
  /** The same as words of a finding: the first twenty, and `…` for more. */
  readonly namesOf: (digests: Iterable<Digest>) => string;
  readonly findings: readonly Finding[];
  /** Of indexes that are roots of items and could be read: whom their manifests are for. */
  readonly platforms: ReadonlyMap<Digest, CarriedPlatforms>;
}

interface CarriedPlatforms {
  readonly has: (wanted: Platform) => boolean;
  /** As words of a finding: the first twenty, and `…` for more. */
  readonly names: string;
}

/**
 * Reads every manifest that an item leads to, once, whoever else leads to it: a bundle may have ten thousand items of
 * one root. What cannot be read is a finding and the walk goes on, so that one damaged manifest does not hide the others.
 * Blobs that a delta expects elsewhere are neither read nor missed.
 */
export async function readContents(bundle: VerifiedBundle, signal?: AbortSignal): Promise<Contents> {
  const walk = new Walk(bundle, signal);
  for (const item of bundle.document.items) await walk.item(item);
  return {
    needed: walk.needed(),
    itemsOf: (digests) => walk.itemsOf(digests),
    namesOf: (digests) => walk.namesOf(digests),
    findings: [...walk.findings(), ...walk.unlisted()],
    platforms: walk.platforms,
  };
}

class Walk {
  readonly platforms = new Map<Digest, CarriedPlatforms>();
  readonly #bundle: VerifiedBundle;
  readonly #signal: AbortSignal | undefined;
  readonly #listed: ReadonlySet<string>;
  readonly #roots: ReadonlySet<Digest>;
  readonly #absent: ReadonlySet<string>;
  /** What names a digest: manifests, and items by their place in the bundle. What is no key is needed by nobody. */
  readonly #namedBy = new Map<Digest, Set<Digest | number>>();
  readonly #missing = new Set<Digest>();
  readonly #unusable = new Map<Digest, string>();
  #items = 0;
  /** Some manifest could not be read: what it names is not known. */
  #blind = false;

  constructor(bundle: VerifiedBundle, signal: AbortSignal | undefined) {
    this.#bundle = bundle;
    this.#signal = signal;
    this.#listed = new Set(bundle.document.blobs.map(({ digest }) => digest));
    this.#roots = new Set(bundle.document.items.map(({ root }) => root.digest));
    this.#absent = new Set(bundle.document.delta?.absent);
  }

  async item({ root }: Item): Promise<void> {
    await this.#visit(root, this.#items++, 0);
  }

  needed(): readonly Digest[] {
    return [...this.#namedBy.keys()];
  }

  itemsOf(digests: Iterable<Digest>, most = Infinity): readonly string[] {
    const items = new Set<number>();
    const above = new Set<Digest>(digests);
    // A set that grows while it is gone over is gone over to its end.
    enough: for (const digest of above)
      for (const namer of this.#namedBy.get(digest) ?? []) {
        if (items.size === most) break enough;
        if (typeof namer === "number") items.add(namer);
        else above.add(namer);
      }
    const inOrder = [...items].sort((a, b) => a - b);
    return [...new Set(inOrder.map((place) => this.#bundle.document.items[place]?.reference ?? ""))];
  }

  namesOf(digests: Iterable<Digest>): string {
    return abridged(this.itemsOf(digests, mostNamed + 1), mostNamed);
  }

  findings(): readonly Finding[] {
    return [
      ...[...this.#missing].map((digest) =>
        finding("error", "bundle.blob-missing", { digest, items: this.namesOf([digest]) }),
      ),
      ...[...this.#unusable].map(([digest, why]) =>
        finding("error", "bundle.manifest-unusable", { digest, why, items: this.namesOf([digest]) }),
      ),
    ];
  }

  /** Blobs that no item needs: harmless, but nobody asked for them. */
  unlisted(): readonly Finding[] {
    if (this.#blind) return [];
    const unused = this.#bundle.document.blobs.filter(({ digest }) => !this.#namedBy.has(digest));
    return unused.map(({ digest }) => finding("warning", "bundle.blob-unlisted", { digest }));
  }

  async #visit(descriptor: Descriptor, namer: Digest | number, depth: number): Promise<void> {
    const { digest } = descriptor;
    const before = this.#namedBy.get(digest);
    if (before !== undefined) {
      before.add(namer);
      return;
    }
    this.#namedBy.set(digest, new Set([namer]));
    if (!this.#listed.has(digest)) this.#missing.add(digest);
    else if (isManifest(descriptor.mediaType)) await this.#below(descriptor, depth);
  }

  async #below(descriptor: Descriptor, depth: number): Promise<void> {
    const { digest } = descriptor;
    if (depth > maxGraphDepth) this.#unusable.set(digest, `depth > ${maxGraphDepth}`);
    const manifest = await this.#manifest(descriptor);
    if (manifest === undefined) {
      this.#blind = true;
      return;
    }
    if (this.#roots.has(digest) && manifest.kind === "index") this.platforms.set(digest, platformsOf(manifest));
    for (const child of successors(manifest)) await this.#visit(child, digest, depth + 1);
  }

  async #manifest(descriptor: Descriptor): Promise<Manifest | undefined> {
    const { digest, mediaType } = descriptor;
    if (this.#absent.has(digest) || this.#unusable.has(digest)) return undefined;
    try {
      return parseManifest(await readSmall(this.#bundle, descriptor, "bundle", this.#signal), mediaType);
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

function platformsOf({ manifests }: ImageIndex): CarriedPlatforms {
  const each = manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform]));
  return { has: anyMatches(each), names: abridged([...new Set(each.map(printPlatform))]) };
}
