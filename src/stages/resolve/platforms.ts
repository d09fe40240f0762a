import { digestOf } from "../../model/digest.ts";
import type { Descriptor } from "../../model/descriptor.ts";
import { Failure } from "../../model/failure.ts";
import { finding, type Finding } from "../../model/finding.ts";
import type { ImageIndex } from "../../model/manifest.ts";
import { platformMatches, printPlatform, type Platform } from "../../model/platform.ts";

export interface PrunedIndex {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly kept: readonly Platform[];
  readonly changed: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Keeps the children of an index that were chosen. Harbor refuses an index with absent children, so the rest must go,
 * attestations of dropped children with them; when nothing has to go, the bytes and the digest stay as they are.
 * @throws Failure PLATFORM_MISSING unless `allowMissing`
 */
export function pruneIndex(
  reference: string,
  index: ImageIndex,
  bytes: Uint8Array,
  descriptor: Descriptor,
  choice: { readonly platforms: readonly Platform[]; readonly allowMissing?: boolean | undefined },
): PrunedIndex {
  const wanted = (child: Descriptor): boolean =>
    child.platform !== undefined &&
    choice.platforms.some((platform) => platformMatches(platform, child.platform as Platform));
  const kept = index.manifests.filter(wanted);
  const has = index.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [printPlatform(platform)]));
  const findings = missingPlatforms(
    reference,
    kept.flatMap(({ platform }) => platform ?? []),
    has,
    choice,
  );
  if (kept.length === 0)
    throw new Failure("PLATFORM_MISSING", {
      reference,
      platform: choice.platforms.map(printPlatform).join(" "),
      has: has.join(" "),
    });
  const platforms = kept.flatMap(({ platform }) => platform ?? []);
  if (kept.length === index.manifests.length) return { descriptor, bytes, kept: platforms, changed: false, findings };
  const digests = new Set<string>(kept.map(({ digest }) => digest));
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
