import { readSmall } from "../../content/verified.ts";
import { Failure } from "../../model/failure.ts";
import { parseManifest, type ImageManifest } from "../../model/manifest.ts";
import { isIndex, MediaType } from "../../model/media-type.ts";
import type { PushSource } from "./ports.ts";
import type { Surveyed } from "./survey.ts";

export interface Unstorable {
  readonly item: string;
  readonly digest: string;
  readonly why: string;
}

/**
 * Harbor opens config blobs, and answers 500 "internal server error" for good to a manifest whose config it cannot read
 * (docs/facts/harbor.md#config-must-be-json). That answer says nothing, so the rule is applied here first.
 * @throws Failure MANIFEST_INVALID that names every such manifest
 */
export async function refuseUnstorable(
  placements: readonly Surveyed[],
  source: PushSource,
  harborVersion: string,
  signal?: AbortSignal,
): Promise<void> {
  const found = await unstorable(
    placements.filter(({ missingTags, complete }) => missingTags.length > 0 && !complete),
    source,
    harborVersion,
    signal,
  );
  if (found.length === 0) return;
  const what = found.map(({ item, digest }) => `${item} ${digest.slice(0, 19)}`).join(", ");
  const why = `Harbor ${harborVersion}: ${[...new Set(found.map((one) => one.why))].join(", ")}`;
  throw new Failure("MANIFEST_INVALID", { what, why }, { side: "target" });
}

async function unstorable(
  placements: readonly Surveyed[],
  source: PushSource,
  harborVersion: string,
  signal?: AbortSignal,
): Promise<readonly Unstorable[]> {
  const judged = new Map<string, Unstorable | undefined>();
  for (const { placement, graph } of placements) {
    for (const { descriptor, bytes } of graph?.manifests ?? []) {
      if (isIndex(descriptor.mediaType) || judged.has(descriptor.digest)) continue;
      const manifest = parseManifest(bytes, descriptor.mediaType);
      if (manifest.kind === "index" || !source.hasBlob(manifest.config.digest)) continue;
      const why = mustBeJson(manifest, harborVersion)
        ? refusal(await readSmall(source, manifest.config, "bundle", undefined, signal), manifest)
        : undefined;
      judged.set(
        descriptor.digest,
        why === undefined ? undefined : { item: placement.item.name, digest: descriptor.digest, why },
      );
    }
  }
  return [...judged.values()].filter((one) => one !== undefined);
}

const images: ReadonlySet<string> = new Set([MediaType.ociConfig, MediaType.dockerConfig]);
const decoded: ReadonlySet<string> = new Set([...images, MediaType.helmConfig]);
/** Has a processor of its own since 2.6, which does not open it. */
const wasmToOci = "application/vnd.wasm.config.v1+json";
const typed = /^application\/vnd\.[^.]*\.(.*)\.config\.[^.]*\+json$/;

/** Whether Harbor decodes this config at all: known types always, others by a rule that changed in 2.10. */
export function mustBeJson(manifest: ImageManifest, harborVersion: string): boolean {
  const { mediaType } = manifest.config;
  if (decoded.has(mediaType)) return true;
  if (mediaType === wasmToOci && !isBefore(harborVersion, 2, 6)) return false;
  return isBefore(harborVersion, 2, 10) ? manifest.config.size > 0 : typed.test(mediaType);
}

function refusal(config: Uint8Array, manifest: ImageManifest): string | undefined {
  if (config.byteLength === 0) return images.has(manifest.config.mediaType) ? undefined : "empty config";
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(config));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? undefined
      : "config is no JSON object";
  } catch {
    return "config is no JSON object";
  }
}

function isBefore(version: string, major: number, minor: number): boolean {
  const match = /^v?(\d+)\.(\d+)/.exec(version);
  // An unknown version is taken for a new one: the narrower rule refuses less.
  if (match === null) return false;
  return Number(match[1]) < major || (Number(match[1]) === major && Number(match[2]) < minor);
}
