import { readSmall } from "../../content/verified.ts";
import { deniedBecause, Failure, isFailure } from "../../model/failure.ts";
import { parseManifest, type ImageManifest } from "../../model/manifest.ts";
import { isIndex, MediaType } from "../../model/media-type.ts";
import { printBytes } from "../../std/bytes.ts";
import type { PushSource } from "./ports.ts";
import type { Placement } from "./survey.ts";

interface Unstorable {
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
  placements: readonly Placement[],
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
  placements: readonly Placement[],
  source: PushSource,
  harborVersion: string,
  signal?: AbortSignal,
): Promise<readonly Unstorable[]> {
  const judged = new Map<string, Unstorable | undefined>();
  for (const { item, graph } of placements) {
    for (const { descriptor, bytes } of graph?.manifests ?? []) {
      if (isIndex(descriptor.mediaType) || judged.has(descriptor.digest)) continue;
      const manifest = parseManifest(bytes, descriptor.mediaType);
      if (manifest.kind === "index" || !source.hasBlob(manifest.config.digest)) continue;
      const why = mustBeJson(manifest, harborVersion)
        ? whyUnreadable(await readSmall(source, manifest.config, "bundle", signal), manifest)
        : undefined;
      judged.set(
        descriptor.digest,
        why === undefined ? undefined : { item: item.name, digest: descriptor.digest, why },
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
function mustBeJson(manifest: ImageManifest, harborVersion: string): boolean {
  const { mediaType } = manifest.config;
  if (decoded.has(mediaType)) return true;
  if (mediaType === wasmToOci && !isBefore(harborVersion, 2, 6)) return false;
  return isBefore(harborVersion, 2, 10) ? manifest.config.size > 0 : typed.test(mediaType);
}

function whyUnreadable(config: Uint8Array, manifest: ImageManifest): string | undefined {
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

/** What Harbor's own API can say about a broken line; its client fits. */
export interface TargetState {
  systemInfo(signal?: AbortSignal): Promise<{ readonly readOnly: boolean | undefined }>;
  project(name: string, signal?: AbortSignal): Promise<{ readonly isProxy: boolean } | "missing" | "hidden">;
  quota(project: string, signal?: AbortSignal): Promise<{ readonly hard: number; readonly used: number } | undefined>;
}

/**
 * Harbor refuses before it has read the body, and the answer is lost when the connection is reset under the sender
 * (docs/facts/harbor.md#quota-answer-is-lost). So a broken line is not believed before Harbor was asked.
 * @returns the refusal that was lost; `undefined` when Harbor has nothing against us, or cannot be asked
 */
export async function lostRefusal(
  broken: unknown,
  left: () => Promise<ReadonlyMap<string, number>>,
  state: TargetState,
  signal?: AbortSignal,
): Promise<Failure | undefined> {
  if (!isFailure(broken, "REGISTRY_UNREACHABLE", "REGISTRY_STALLED")) return undefined;
  const { host, action } = broken.facts;
  try {
    const answer = await refusalOf(await left(), state, signal);
    if (answer === undefined) return undefined;
    return new Failure(
      "REGISTRY_DENIED",
      { host, action, answer, because: deniedBecause(answer) },
      { side: "target", cause: broken },
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    // Harbor does not answer at all: the broken line hid no refusal.
    return undefined;
  }
}

async function refusalOf(
  left: ReadonlyMap<string, number>,
  state: TargetState,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if ((await state.systemInfo(signal)).readOnly === true) return "DENIED read_only: true";
  for (const [project, bytes] of left) {
    const seen = await state.project(project, signal);
    if (typeof seen === "object" && seen.isProxy) return `DENIED ${project}: proxy project`;
    const quota = await state.quota(project, signal);
    if (quota === undefined || quota.hard < 0 || quota.used + bytes <= quota.hard) continue;
    return `DENIED ${project}: quota ${printBytes(quota.hard)}, used ${printBytes(quota.used)}, wanted ${printBytes(bytes)}`;
  }
  return undefined;
}

/**
 * Harbor answers 401 without a word to who asks for something in a project that is not there
 * (docs/facts/harbor.md#unknown-project-is-401).
 * @returns the failure that says so; `undefined` when all projects are there, or may not be asked for
 */
export async function missingProject(
  refused: unknown,
  projects: ReadonlySet<string>,
  state: Pick<TargetState, "project">,
  signal?: AbortSignal,
): Promise<Failure | undefined> {
  if (!isFailure(refused, "REGISTRY_UNAUTHORIZED")) return undefined;
  const { host, action } = refused.facts;
  try {
    for (const project of projects)
      if ((await state.project(project, signal)) === "missing")
        return new Failure(
          "REGISTRY_NOT_FOUND",
          { host, action, answer: `project ${project}` },
          { side: "target", cause: refused },
        );
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
  }
  return undefined;
}
