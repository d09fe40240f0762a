import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { madeChart, workload } from "./made.ts";

const company = "reg.company.example";

/**
 * Charts that people keep beside Higress, each of which names images where no value reaches: in an init container, in parts
 * in a custom resource, and in documents inside a ConfigMap.
 */
const beside: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  nacos: {
    "values.yaml": "image: nacos/nacos-server:v2.3.2\n",
    "templates/nacos.yaml": `${workload(
      "StatefulSet",
      "{{ .Release.Name }}-server",
      `initContainers: [{ name: peer-finder, image: "nacos/nacos-peer-finder-plugin:1.1" }]
containers: [{ name: server, image: "{{ .Values.image }}" }]`,
    )}  serviceName: nacos
`,
  },
  search: {
    "crds/clusters.yaml": `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: clusters.acme.example }
spec:
  group: acme.example
  scope: Namespaced
  names: { kind: Cluster, plural: clusters, singular: cluster }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`,
    "templates/cluster.yaml": `apiVersion: acme.example/v1
kind: Cluster
metadata: { name: "{{ .Release.Name }}" }
spec:
  exporter: { image: { repository: ${company}/team/exporter, tag: "9" } }
  backup: { registry: ${company}, repository: team/backup, tag: "2" }
`,
  },
  agents: {
    "templates/agents.yaml": `apiVersion: v1
kind: ConfigMap
metadata: { name: "{{ .Release.Name }}-settings" }
data:
  agents.yaml: |
    agent:
      image: ${company}/team/agent:4
      sidecars: '[{"image":"${company}/team/side:5"}]'
`,
  },
};

export const besideImages = [
  "docker.io/nacos/nacos-server:v2.3.2",
  "docker.io/nacos/nacos-peer-finder-plugin:1.1",
  ...["exporter:9", "backup:2", "agent:4", "side:5"].map((name) => `${company}/team/${name}`),
];

/** Packs them into `folder`; returns what a spec says of them. */
export async function packBeside(folder: string): Promise<readonly object[]> {
  return Promise.all(
    Object.entries(beside).map(async ([name, files]) => {
      const from = join(folder, `${name}-1.0.0.tgz`);
      await writeFile(from, madeChart(name, files));
      return { name, version: "1.0.0", from };
    }),
  );
}
