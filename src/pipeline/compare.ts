import { unlessForbidden } from "../model/failure.ts";
import { withoutDropped, type ObjectChange } from "../model/object-change.ts";
import { fieldManager, type ApplyOptions, type ClusterPort, type KubeObject } from "../model/kubernetes.ts";
import { identityOf, versionedKind, renderedObjects, type RenderedObject } from "../model/rendered-object.ts";
import { isHook } from "../stages/relocate/helm-ownership.ts";
import type { ManifestExport } from "./export.ts";
import type { HelmPort } from "../model/helm.ts";
import { knownKinds, type KindsPort } from "./live-objects.ts";
import { byNamespace, partsOf, printParts, type ManifestPart } from "./manifest-parts.ts";
import type { Rendered } from "./prove.ts";

export type ComparedPhase = "namespace" | "before" | "crds" | "release" | "overlay" | "plugins";

export interface Compared {
  readonly phase: ComparedPhase;
  readonly changes: readonly ObjectChange[];
  /** New, with nothing beside them that they could be compared with: `render` itself shows them. */
  readonly created: readonly string[];
  /** Stored by helm, and no longer rendered: an upgrade removes them. */
  readonly removed: readonly string[];
  /** Helm does not show what it would write into them. */
  readonly secrets: readonly string[];
  /** Helm makes them anew each time, and mostly removes them afterwards. */
  readonly hooks: readonly string[];
}

export interface CompareOptions {
  readonly cluster: KindsPort & Pick<ClusterPort, "get" | "present" | "dryRun">;
  readonly helm: Pick<HelmPort, "getManifest">;
  /** Releases that are there already, and how helm applied them. */
  readonly installed: ReadonlyMap<string, { readonly isServerSide: boolean }>;
  readonly signal: AbortSignal;
}

/** What an install would change on the cluster, phase by phase, by the API server's own reckoning. Nothing is changed. */
export async function compare(exported: ManifestExport, options: CompareOptions): Promise<readonly Compared[]> {
  const { namespace, before, crds, overlay, plugins } = exported;
  const ours = (phase: ComparedPhase, objects: readonly KubeObject[]): Promise<Compared> =>
    comparePhase(phase, { parts: objects.map(partOf), apply: { fieldManager, force: true } }, options);
  const compared: Compared[] = [
    // A namespace that is there is somebody's: an install leaves it as it is.
    { ...unchanged("namespace"), created: await absentNamespaces(namespace, options) },
    await ours("before", before),
    await comparePhase("crds", { parts: crds.flatMap(partsOf), apply: { fieldManager, force: true } }, options),
  ];
  for (const release of exported.releases) compared.push(await compareRelease(release, options));
  return [...compared, await ours("overlay", overlay), await ours("plugins", plugins)];
}

async function absentNamespaces(objects: readonly KubeObject[], options: CompareOptions): Promise<readonly string[]> {
  const there = await Promise.all(objects.map(({ metadata }) => namespaceIsThere(metadata.name, options)));
  return objects.filter((_, at) => there[at] !== true).map(({ metadata }) => `Namespace/${metadata.name}`);
}

async function compareRelease({ chart, manifest }: Rendered, options: CompareOptions): Promise<Compared> {
  const { release, namespace } = chart;
  const parts = partsOf(manifest);
  const { plain, secrets, hooks } = sorted(parts);
  const apply = { fieldManager: "helm", force: true, namespace };
  const compared = { ...(await comparePhase("release", { parts: plain, apply }, options)), secrets, hooks };
  const standing = options.installed.get(release);
  if (standing === undefined) return compared;
  const objects = parts.flatMap((part) => part.objects);
  const rendered = new Set(namesOf(objects));
  const before = renderedObjects(await options.helm.getManifest(release, namespace, { signal: options.signal }));
  const stored = namesOf(before);
  // Of Secrets only the names are told, whatever becomes of them.
  const isSecret = (name: string): boolean => name.startsWith("Secret/");
  const removed = stored.filter((name) => !rendered.has(name) && !isSecret(name));
  const changes = standing.isServerSide ? compared.changes : asHelmPatches(compared.changes, before, objects);
  return { ...compared, changes, removed, secrets: [...new Set([...secrets, ...stored.filter(isSecret)])] };
}

function asHelmPatches(
  changes: readonly ObjectChange[],
  before: readonly RenderedObject[],
  now: readonly RenderedObject[],
): readonly ObjectChange[] {
  return changes.map((change) => {
    const same = (object: RenderedObject): boolean => keyOf(object) === keyOf(change.after);
    // What helm itself puts on objects stands in neither manifest.
    return { ...change, after: withoutDropped(change.after, before.find(same), now.find(same)) };
  });
}

interface Wanted {
  readonly parts: readonly ManifestPart[];
  /** `namespace` is for objects that say none. */
  readonly apply: ApplyOptions;
}

async function comparePhase(phase: ComparedPhase, wanted: Wanted, options: CompareOptions): Promise<Compared> {
  const kinds = await knownKinds(
    wanted.parts.flatMap(({ objects }) => objects),
    options.cluster,
    options.signal,
  );
  const groups: Group[] = [];
  for (const [namespace, parts] of byNamespace(wanted.parts, wanted.apply.namespace ?? ""))
    groups.push(await groupOf(namespace, parts, kinds, options));
  // An overlay has only some fields of an object that the release makes. While that object is not there, a dry run of the
  // overlay would be refused as incomplete.
  const whole = phase !== "overlay" && groups.some(({ live }) => live.size > 0);
  const changes: ObjectChange[] = [];
  const created: string[] = [];
  for (const group of groups) {
    const asked = group.parts.filter((part) => isLive(part, group) || (whole && group.canMake(part)));
    created.push(...namesOf(group.parts.filter((part) => !asked.includes(part)).flatMap(({ objects }) => objects)));
    changes.push(...(await changesIn(group, asked, wanted.apply, options)));
  }
  return { ...unchanged(phase), changes, created };
}

/** Objects that go into one namespace: kubectl refuses one that says another, and asks where those belong that say none. */
interface Group {
  readonly namespace: string;
  readonly parts: readonly ManifestPart[];
  readonly live: ReadonlyMap<string, KubeObject>;
  /** Whether the cluster has the kind and the namespace of a part: only then the API server can say what would become of it. */
  readonly canMake: (part: ManifestPart) => boolean;
}

async function groupOf(
  namespace: string,
  parts: readonly ManifestPart[],
  kinds: ReadonlySet<string>,
  options: CompareOptions,
): Promise<Group> {
  const isKnown = ({ objects }: ManifestPart): boolean => objects.every((object) => kinds.has(versionedKind(object)));
  const known = parts.filter(isKnown);
  const into = namespace === "" ? {} : { namespace };
  const live =
    known.length === 0 ? [] : await options.cluster.present(printParts(known), { ...into, signal: options.signal });
  const there = namespace === "" || (await namespaceIsThere(namespace, options));
  return {
    namespace,
    parts,
    live: new Map(live.map((object) => [keyOf(object), object])),
    canMake: (part) => there && isKnown(part),
  };
}

function isLive({ objects }: ManifestPart, { live }: Group): boolean {
  return objects.every((object) => live.has(keyOf(object)));
}

async function changesIn(
  { namespace, live }: Group,
  parts: readonly ManifestPart[],
  apply: ApplyOptions,
  { cluster, signal }: CompareOptions,
): Promise<readonly ObjectChange[]> {
  if (parts.length === 0) return [];
  const into = namespace === "" ? {} : { namespace };
  const after = await cluster.dryRun(printParts(parts), { ...apply, ...into, signal });
  return after.map((object) => ({ name: fullName(object), live: live.get(keyOf(object)), after: object }));
}

/** Where we may not read namespaces, it is taken to be there: if it is not, the dry run fails and says so. */
async function namespaceIsThere(name: string, { cluster, signal }: CompareOptions): Promise<boolean> {
  const found = await unlessForbidden(cluster.get({ resource: "namespaces", name }, signal));
  return "why" in found || found.answer !== undefined;
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

function unchanged(phase: ComparedPhase): Compared {
  return { phase, changes: [], created: [], removed: [], secrets: [], hooks: [] };
}

function partOf(object: KubeObject): ManifestPart {
  // JSON is YAML.
  return { text: `${JSON.stringify(object)}\n`, objects: [object] };
}

function keyOf(object: RenderedObject): string {
  return `${versionedKind(object)} ${identityOf(object).name}`;
}

function namesOf(objects: readonly RenderedObject[]): readonly string[] {
  return objects.map((object) => {
    const { kind, name } = identityOf(object);
    return `${kind}/${name}`;
  });
}

function fullName({ kind, metadata: { namespace, name } }: KubeObject): string {
  return [kind, namespace, name].filter((part) => part !== undefined).join("/");
}
