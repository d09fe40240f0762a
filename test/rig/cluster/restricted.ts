import { ApiError, type KubeApi } from "../kubelet/api.ts";

/** Lets `user` do everything inside `namespace`, which is made when it is not there, and nothing else. */
export async function grantNamespace(api: KubeApi, namespace: string, user: string): Promise<void> {
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  const metadata = { name: user, namespace };
  await unlessThere(api.create("/api/v1/namespaces", { metadata: { name: namespace } }));
  await api.create(`${rbac}/roles`, { metadata, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] });
  await api.create(`${rbac}/rolebindings`, {
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: user },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  });
}

async function unlessThere(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
}
