import { isFailure } from "../model/failure.ts";
import { fieldManager, type ApplyOptions, type ClusterPort, type KubeObject } from "../model/kubernetes.ts";
import { identityOf, mapAt, renderedObjects, type RenderedObject } from "../model/rendered-object.ts";
import type { ManifestExport } from "./export.ts";
import type { HelmPort } from "../model/helm.ts";
import { byNamespace, partsOf, type ManifestPart } from "./manifest-parts.ts";
import type { Rendered } from "./prove.ts";

export type ComparedPhase = "namespace" | "before" | "crds" | "release" | "overlay" | "plugins";

export interface Compared {
  readonly phase: ComparedPhase;
  readonly diff?: string | undefined;
  /** The cluster does not know their namespace or kind yet, so all of them are new. */
  readonly created: readonly string[];
  /** Stored by helm, and no longer rendered: an upgrade removes them. */
  readonly removed: readonly string[];
  /** Helm does not show what it would write into them. */
  readonly secrets: readonly string[];
  /** Helm makes them anew each time, and mostly removes them afterwards. */
  readonly hooks: readonly string[];
}

export interface CompareOptions {
  readonly cluster: Pick<ClusterPort, "diff">;
  readonly helm: Pick<HelmPort, "getManifest">;
  /** Releases that are there already. */
  readonly installed: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** What an install would change on the cluster, phase by phase, by the API server's own reckoning. Nothing is changed. */
export async function compare(exported: ManifestExport, options: CompareOptions): Promise<readonly Compared[]> {
  const ours = { fieldManager, force: true };
  const phases: Compared[] = [
    await one("namespace", exported.namespace, ours, options),
    await one("before", exported.before, ours, options),
    await one("crds", exported.crds.join("\n---\n"), ours, options),
  ];
  for (const release of exported.releases) phases.push(await compareRelease(release, options));
  phases.push(
    await one("overlay", exported.overlay, ours, options),
    await one("plugins", exported.plugins, ours, options),
  );
  return phases;
}

async function one(
  phase: ComparedPhase,
  documents: readonly KubeObject[] | string,
  apply: ApplyOptions,
  { cluster, signal }: CompareOptions,
): Promise<Compared> {
  const nothing = { phase, created: [], removed: [], secrets: [], hooks: [] };
  if (documents.length === 0) return nothing;
  try {
    return { ...nothing, diff: await cluster.diff(documents, { ...apply, signal }) };
  } catch (error) {
    if (!isFailure(error, "KUBECTL_FAILED") || !/NotFound|not found|no matches for kind/.test(error.facts.output))
      throw error;
    return { ...nothing, created: typeof documents === "string" ? namesIn(documents) : documents.map(nameOf) };
  }
}

async function compareRelease({ chart, manifest }: Rendered, options: CompareOptions): Promise<Compared> {
  const { release, namespace } = chart;
  const parts = partsOf(manifest);
  const { plain, secrets, hooks } = sorted(parts);
  const found: Compared[] = [];
  for (const [into, text] of byNamespace(plain, namespace))
    found.push(await one("release", text, { fieldManager: "helm", force: true, namespace: into }, options));
  const diffs = found.flatMap(({ diff }) => diff ?? []);
  const together: Compared = {
    phase: "release",
    created: found.flatMap(({ created }) => created),
    removed: [],
    secrets,
    hooks,
    ...(diffs.length === 0 ? {} : { diff: diffs.join("") }),
  };
  if (!options.installed.has(release)) return together;
  const rendered = new Set(namesOf(parts.flatMap(({ objects }) => objects)));
  const stored = namesIn(await options.helm.getManifest(release, namespace, { signal: options.signal }));
  // A dry run leaves Secrets out, so nobody can say whether one of them goes.
  const isSecret = (name: string): boolean => name.startsWith("Secret/");
  const removed = stored.filter((name) => !rendered.has(name) && !isSecret(name));
  return { ...together, removed, secrets: [...new Set([...secrets, ...stored.filter(isSecret)])] };
}

interface Sorted {
  readonly plain: readonly ManifestPart[];
  readonly secrets: readonly string[];
  readonly hooks: readonly string[];
}

function sorted(parts: readonly ManifestPart[]): Sorted {
  const isSecret = ({ objects }: ManifestPart): boolean => objects.some((one) => identityOf(one).kind === "Secret");
  const isHooked = ({ objects }: ManifestPart): boolean => objects.some(isHook);
  const named = (some: readonly ManifestPart[]): readonly string[] => some.flatMap(({ objects }) => namesOf(objects));
  const visible = parts.filter((part) => !isSecret(part));
  return {
    plain: visible.filter((part) => !isHooked(part)),
    secrets: named(parts.filter(isSecret)),
    hooks: named(visible.filter(isHooked)),
  };
}

/** https://helm.sh/docs/topics/charts_hooks/ */
function isHook(object: RenderedObject): boolean {
  return mapAt(object, "metadata", "annotations")["helm.sh/hook"] !== undefined;
}

function namesIn(manifest: string): readonly string[] {
  return namesOf(renderedObjects(manifest));
}

function namesOf(objects: readonly RenderedObject[]): readonly string[] {
  return objects.map((object) => {
    const { kind, name } = identityOf(object);
    return `${kind}/${name}`;
  });
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`;
}
