import { finding, type Finding } from "../../model/finding.ts";
import { groupOf, pluralOf, type KubeObject, type Permission } from "../../model/kubernetes.ts";
import type { ClusterPreflightInput, PreflightPort } from "./input.ts";

/** Kinds of the chart that stand outside of any namespace. */
const clusterWide = new Set([
  "Namespace",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "IngressClass",
  "GatewayClass",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "PriorityClass",
  "PersistentVolume",
  "StorageClass",
]);

/** What helm and server-side apply do to each object. */
const verbs = ["get", "create", "patch", "delete"] as const;

/** Asks for every kind that would be applied, and for what the install itself needs; one finding per kind that lacks rights. */
export async function askRights(input: ClusterPreflightInput, port: PreflightPort): Promise<readonly Finding[]> {
  const questions = permissionsFor(input);
  const answers = await port.mayI(questions, input.signal);
  const lacking = new Map<string, { verbs: string[]; resource: string; namespace: string }>();
  for (const { verb, group, resource, namespace = "" } of questions.filter((_, at) => answers[at] !== true)) {
    const kind = group === "" ? resource : `${resource}.${group}`;
    const one = lacking.get(`${kind} ${namespace}`) ?? { verbs: [], resource: kind, namespace };
    lacking.set(`${kind} ${namespace}`, { ...one, verbs: [...one.verbs, verb] });
  }
  return [...lacking.values()].map(({ verbs, resource, namespace }) =>
    // Without it the install goes on, and says of each plugin that it could not be seen.
    finding(resource === "pods/exec" ? "warning" : "error", "cluster.forbidden", {
      verb: verbs.join(", "),
      resource,
      namespace,
    }),
  );
}

export function permissionsFor({ namespace, render, crds, plugins }: ClusterPreflightInput): readonly Permission[] {
  const kinds = [...render, ...crds].flatMap((document) => verbs.map((verb) => permission(document, verb, namespace)));
  const own: readonly Permission[] = [
    // helm keeps its releases in Secrets, and lists them by label.
    ...["list", "create", "update", "delete"].map((verb) => ({ verb, group: "", resource: "secrets", namespace })),
    ...["list", "delete"].map((verb) => ({ verb, group: "", resource: "pods", namespace })),
    // A rollout is watched and the gateway found among all of them, whichever the chart makes.
    ...["deployments", "statefulsets", "daemonsets"].map((resource) => ({
      verb: "list",
      group: "apps",
      resource,
      namespace,
    })),
    { verb: "list", group: "", resource: "events", namespace },
    { verb: "get", group: "", resource: "pods/log", namespace },
    // Whether the gateway has a plugin is asked inside its pods; kubectl opens the stream by GET, and older ones by POST.
    ...((plugins?.length ?? 0) === 0 ? [] : ["create", "get"]).map((verb) => ({
      verb,
      group: "",
      resource: "pods/exec",
      namespace,
    })),
    // The receipt and the registry's CA; accounts are given the pull secret.
    ...verbs.map((verb) => ({ verb, group: "", resource: "configmaps", namespace })),
    ...["get", "patch"].map((verb) => ({ verb, group: "", resource: "serviceaccounts", namespace })),
    { verb: "get", group: "", resource: "namespaces" },
    ...["list", ...verbs].map((verb) => ({ verb, group: "extensions.higress.io", resource: "wasmplugins", namespace })),
  ];
  const unique = new Map([...kinds, ...own].map((one) => [JSON.stringify(one), one]));
  return [...unique.values()];
}

function permission({ apiVersion, kind, metadata }: KubeObject, verb: string, release: string): Permission {
  const question = { verb, group: groupOf(apiVersion), resource: pluralOf(kind) };
  return clusterWide.has(kind) ? question : { ...question, namespace: metadata.namespace ?? release };
}
