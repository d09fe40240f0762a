import { maxGraphDepth } from "../../content/graph.ts";
import type { Fetcher } from "../../content/store.ts";
import { readSmall } from "../../content/verified.ts";
import { digestOf } from "../../model/digest.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import { parseManifest, type ImageIndex, type Manifest } from "../../model/manifest.ts";
import { isManifest } from "../../model/media-type.ts";
import { platformMatches, platformOfConfig, printPlatform, type Platform } from "../../model/platform.ts";

export interface PrunedIndex {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly kept: readonly Platform[];
  readonly changed: boolean;
  readonly findings: readonly Finding[];
}

interface FoundIndex {
  readonly manifest: ImageIndex;
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
  readonly content: Fetcher;
}

interface Choice {
  readonly platforms: readonly Platform[];
  readonly allowMissing?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps the children of an index that were chosen. Harbor refuses an index with absent children, so the rest must go,
 * attestations of dropped children with them; when nothing has to go, the bytes and the digest stay as they are. Of an
 * index that has none of the chosen platforms, `allowMissing` keeps all that it has.
 * @throws Failure PLATFORM_MISSING unless `allowMissing`
 */
export async function pruneIndex(reference: string, index: FoundIndex, choice: Choice): Promise<PrunedIndex> {
  const { bytes, descriptor, manifest, content } = index;
  const children = await Promise.all(
    manifest.manifests.map(async (child) => ({
      child,
      platforms: await platformsOf(child, { reference, content, signal: choice.signal }, 1),
    })),
  );
  const isChosen = (platform: Platform): boolean =>
    choice.platforms.some((wanted) => platformMatches(wanted, platform));
  const chosen = children.filter(({ platforms }) => platforms.some(isChosen));
  const has = children.flatMap(({ platforms }) => platforms);
  const platforms = chosen.flatMap((each) => each.platforms.filter(isChosen));
  const findings = missingPlatforms(reference, platforms, has.map(printPlatform), choice);
  const whole = { descriptor, bytes, changed: false, findings };
  if (chosen.length === 0) return { ...whole, kept: has.filter(({ os }) => os !== "unknown") };
  if (chosen.length === children.length) return { ...whole, kept: platforms };
  const digests = new Set<string>(chosen.map(({ child }) => child.digest));
  const document = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests: { digest: string }[] };
  const pruned = Buffer.from(
    JSON.stringify({ ...document, manifests: document.manifests.filter((child) => digests.has(child.digest)) }),
  );
  return {
    descriptor: { mediaType: descriptor.mediaType, digest: digestOf(pruned), size: pruned.byteLength },
    bytes: pruned,
    kept: platforms,
    changed: true,
    findings,
  };
}

interface Within {
  readonly reference: string;
  readonly content: Fetcher;
  readonly signal?: AbortSignal | undefined;
}

/** Where an index does not say which platform a child is for, the child's own config does, or the children of that. */
async function platformsOf(child: Descriptor, within: Within, depth: number): Promise<readonly Platform[]> {
  if (child.platform !== undefined) return [child.platform];
  if (!isManifest(child.mediaType)) return [];
  const { reference, content, signal } = within;
  if (depth > maxGraphDepth) throw new Failure("IMAGE_UNUSABLE", { image: reference, why: "index in index" });
  const read = (descriptor: Descriptor): Promise<Uint8Array> =>
    readSmall(content, descriptor, "source", undefined, signal);
  const manifest: Manifest = parseManifest(await read(child), child.mediaType);
  if (manifest.kind === "image") {
    const platform = platformOfConfig(await read(manifest.config));
    return platform === undefined ? [] : [platform];
  }
  const below = await Promise.all(manifest.manifests.map((each) => platformsOf(each, within, depth + 1)));
  return below.flat();
}

/** One finding for each chosen platform that `has` lacks. @throws Failure PLATFORM_MISSING unless `allowMissing` */
export function missingPlatforms(
  reference: string,
  kept: readonly Platform[],
  has: readonly string[],
  choice: { readonly platforms: readonly Platform[]; readonly allowMissing?: boolean | undefined },
): readonly Finding[] {
  const missing = choice.platforms
    .filter((platform) => !kept.some((one) => platformMatches(platform, one)))
    .map(printPlatform);
  if (missing.length === 0) return [];
  const facts = { platform: missing.join(" "), has: [...new Set(has)].join(" ") };
  if (choice.allowMissing !== true) throw new Failure("PLATFORM_MISSING", { reference, ...facts });
  return [finding("warning", "bundle.platform-missing", { item: reference, ...facts })];
}
