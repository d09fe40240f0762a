import { Failure } from "../model/failure.ts";
import { isBuiltInGroup, resourceOf, type ClusterPort, type KubeObject } from "../model/kubernetes.ts";
import { versionedKind, textAt, type RenderedObject } from "../model/rendered-object.ts";

interface LiveObjectsPorts {
  readonly cluster: Pick<ClusterPort, "list">;
  readonly signal: AbortSignal;
}

/**
 * What stands in the cluster of the kinds that are rendered, in the namespaces where they are rendered: one question for
 * all kinds that API servers have of themselves, and one for each other: with one unknown kind among them all are asked twice.
 */
export async function liveObjects(
  rendered: readonly KubeObject[],
  namespace: string,
  { cluster, signal }: LiveObjectsPorts,
): Promise<readonly KubeObject[]> {
  const asked = new Map<string, Set<string>>();
  for (const object of rendered) {
    const place = object.metadata.namespace ?? namespace;
    asked.set(place, (asked.get(place) ?? new Set()).add(resourceOf(object)));
  }
  const questions = [...asked].flatMap(([place, resources]) =>
    questionsOf([...resources]).map((resource) => ({ resource, namespace: place, signal })),
  );
  const answers = await Promise.all(questions.map((question) => cluster.list<KubeObject>(question)));
  // What belongs to no namespace is in the answer for each of them.
  return [...new Map(answers.flat().map((object) => [object.metadata.uid ?? object, object])).values()];
}

function questionsOf(resources: readonly string[]): readonly string[] {
  const known = resources.filter(isBuiltIn);
  return [...(known.length === 0 ? [] : [known.join(",")]), ...resources.filter((resource) => !isBuiltIn(resource))];
}

function isBuiltIn(resource: string): boolean {
  return isBuiltInGroup(resource.split(".").slice(1).join("."));
}

export type KindsPort = Pick<ClusterPort, "raw">;

/**
 * Which kinds of these objects the cluster serves, as `versionedKind` names them, by the API's own list and not by the words of
 * an error (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api).
 */
export async function knownKinds(
  objects: readonly RenderedObject[],
  cluster: KindsPort,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const wanted = new Set(objects.map((object) => textAt(object, "apiVersion") ?? ""));
  if (wanted.size === 0) return new Set();
  const { groups } = await read<GroupList>("/apis", cluster, signal);
  const served = groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion));
  const known = [...wanted].filter((version) => version === "v1" || served.includes(version));
  const lists = known.map(async (apiVersion) => {
    const path = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
    const { resources } = await read<ResourceList>(path, cluster, signal);
    return resources.map(({ kind }) => versionedKind({ apiVersion, kind }));
  });
  return new Set((await Promise.all(lists)).flat());
}

/** `httproutes.gateway.networking.k8s.io`: what can be listed of the groups that are wanted, each kind once. */
export async function servedResources(
  isWanted: (group: string) => boolean,
  cluster: KindsPort,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { groups } = await read<GroupList>("/apis", cluster, signal);
  const wanted = groups.filter(({ name }) => isWanted(name));
  // The version that is preferred may lack kinds that another one has.
  const lists = wanted.flatMap(({ name, versions }) =>
    versions.map(async ({ groupVersion }) => {
      const { resources } = await read<ResourceList>(`/apis/${groupVersion}`, cluster, signal);
      return resources.filter(({ verbs }) => verbs.includes("list")).map((each) => `${each.name}.${name}`);
    }),
  );
  return [...new Set((await Promise.all(lists)).flat())];
}

interface GroupList {
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly verbs: readonly string[] }[];
}

async function read<T>(path: string, cluster: KindsPort, signal: AbortSignal): Promise<T> {
  const text = await cluster.raw(path, signal);
  if (text === undefined) throw new Failure("KUBECTL_FAILED", { action: `get --raw=${path}`, exit: "1", output: "" });
  return JSON.parse(text) as T;
}
