import { dump } from "js-yaml";

// Kubernetes objects as a chart would render them, with no more in them than a test is about.

export const aDeployment = (name: string, podSpec: object): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace: "ns" },
  spec: { template: { metadata: { annotations: {} }, spec: podSpec } },
});

/** Of one key; what is no string stands in it as JSON. */
export const aConfigMap = (value: unknown): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "ns" },
  data: { key: typeof value === "string" ? value : JSON.stringify(value) },
});

/** One text of many documents. */
export const asManifest = (...objects: readonly object[]): string =>
  objects.map((object) => dump(object, { noRefs: true })).join("\n---\n");
