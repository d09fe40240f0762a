import { fieldManager, type KubeObject, type Permission } from "../../model/kubernetes.ts";
import type { ClusterPreflightInput } from "./input.ts";
import { permissionsFor } from "./rights.ts";

/** https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

type Rights = Map<string, { readonly group: string; readonly resource: string; readonly verbs: Set<string> }>;

const reading = ["get", "list", "watch"] as const;
/** helm waits by watching, and updates what it keeps; `uninstall` removes what an install made. */
const owning = [...reading, "create", "update", "patch", "delete"] as const;

/** What an install looks at beyond its own namespace: nodes, what else runs, what is served. */
const lookedAt = [
  ["", "nodes"],
  ["", "services"],
  ["", "namespaces"],
  ["apps", "deployments"],
  ["storage.k8s.io", "storageclasses"],
  ["networking.k8s.io", "ingressclasses"],
  ["apiextensions.k8s.io", "customresourcedefinitions"],
] as const;

/** What install, status, doctor, check and uninstall ask for in a namespace, whatever the charts make there. */
const inside = [
  ["", "pods", [...reading, "delete"]],
  ["", "pods/log", ["get"]],
  // The gateway's own list of plugins, and its metrics.
  ["", "pods/exec", ["create", "get"]],
  ["", "pods/proxy", ["get"]],
  ["", "events", reading],
  ["", "services", reading],
  ["", "secrets", owning],
  ["", "configmaps", owning],
  ["", "serviceaccounts", [...reading, "patch"]],
  ["apps", "deployments", [...reading, "patch"]],
  ["apps", "daemonsets", [...reading, "patch"]],
  ["apps", "statefulsets", [...reading, "patch"]],
  ["apps", "replicasets", reading],
  ["batch", "jobs", reading],
  ["extensions.higress.io", "wasmplugins", owning],
] as const;

/**
 * An account that may do what an install does, and no more, as objects for `kubectl apply`: made of the very objects
 * that would be applied, so that an administrator can read what is asked for.
 */
export function installerRole(
  input: Pick<ClusterPreflightInput, "namespace" | "render" | "crds">,
): readonly KubeObject[] {
  const { namespace, render } = input;
  const everywhere: Rights = new Map();
  const spaces = new Map<string, Rights>([[namespace, new Map()]]);
  for (const [group, resource] of lookedAt) add(everywhere, { group, resource }, reading);
  for (const [group, resource, verbs] of inside) add(rightsIn(spaces, namespace), { group, resource }, verbs);
  for (const permission of permissionsFor({ ...input, platforms: [], release: "", isInside: () => true })) {
    const into = permission.namespace === undefined ? everywhere : rightsIn(spaces, permission.namespace);
    if (isOwned(permission)) add(into, permission, owning);
  }
  for (const { kind, metadata } of render) {
    const into = kind.startsWith("Cluster") ? everywhere : rightsIn(spaces, metadata.namespace ?? namespace);
    const role = {
      group: "rbac.authorization.k8s.io",
      resource: kind.startsWith("Cluster") ? "clusterroles" : "roles",
    };
    // Nobody may give a right that he does not have, but for those who are told so:
    // https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
    if (/^(Cluster)?Role$/.test(kind)) add(into, role, ["escalate"]);
    if (/^(Cluster)?RoleBinding$/.test(kind)) {
      add(into, role, ["bind"]);
      add(into, { ...role, resource: "clusterroles" }, ["bind"]);
    }
  }
  return objects(namespace, everywhere, spaces);
}

/** Of the kinds that the charts make; what is only looked at stands above. */
function isOwned({ verb, resource }: Permission): boolean {
  return verb === "create" && !resource.startsWith("pods/");
}

function rightsIn(spaces: Map<string, Rights>, namespace: string): Rights {
  const known: Rights = spaces.get(namespace) ?? new Map<string, never>();
  spaces.set(namespace, known);
  return known;
}

function add(
  rights: Rights,
  { group, resource }: Pick<Permission, "group" | "resource">,
  verbs: readonly string[],
): void {
  const key = `${group} ${resource}`;
  const known = rights.get(key) ?? { group, resource, verbs: new Set<string>() };
  for (const verb of verbs) known.verbs.add(verb);
  rights.set(key, known);
}

/** Resources of one group with the same verbs are one rule. */
function rulesOf(rights: Rights): readonly PolicyRule[] {
  const rules = new Map<
    string,
    { readonly group: string; readonly verbs: readonly string[]; readonly names: string[] }
  >();
  for (const { group, resource, verbs } of rights.values()) {
    const sorted = [...verbs].toSorted();
    const key = `${group} ${sorted.join()}`;
    const known = rules.get(key) ?? { group, verbs: sorted, names: [] };
    known.names.push(resource);
    rules.set(key, known);
  }
  return [...rules]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { group, verbs, names }]) => ({ apiGroups: [group], resources: names.toSorted(), verbs }));
}

const rbac = "rbac.authorization.k8s.io";
const name = `${fieldManager}-installer`;

function objects(namespace: string, everywhere: Rights, spaces: ReadonlyMap<string, Rights>): readonly KubeObject[] {
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  const own = `${name}-${namespace}`;
  const pair = (
    kind: "ClusterRole" | "Role",
    metadata: KubeObject["metadata"],
    rights: Rights,
  ): readonly KubeObject[] => [
    { apiVersion: `${rbac}/v1`, kind, metadata, rules: rulesOf(rights) },
    {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind, name: metadata.name },
      subjects,
    },
  ];
  return [
    ...[...spaces.keys()].map((each) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: each } })),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    ...pair("ClusterRole", { name: own }, everywhere),
    ...[...spaces].flatMap(([each, rights]) => pair("Role", { name, namespace: each }, rights)),
  ];
}
