import { isBuiltInGroup, resourceOf, type ClusterPort, type KubeObject } from "../model/kubernetes.ts";

export interface LiveObjectsPorts {
  readonly cluster: Pick<ClusterPort, "list">;
  readonly signal: AbortSignal;
}

/**
 * What stands in the cluster of the kinds that are rendered, in the namespaces where they are rendered: one question for
 * all kinds that every API server knows, and one for each other, since a single unknown kind makes an answer empty.
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
