import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const files: Readonly<Record<string, string>> = {
  "Chart.yaml": "apiVersion: v2\nname: higress\nversion: 1.0.0\n",
  "values.yaml": "tag: '1'\nreplicas: 1\n",
  "templates/all.yaml": `
apiVersion: v1
kind: ServiceAccount
metadata: { name: grafana, namespace: {{ .Release.Namespace }} }
---
{{- range $name := list "higress-gateway" "grafana" }}
apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ $name }}, namespace: {{ $.Release.Namespace }} }
spec:
  replicas: {{ $.Values.replicas }}
  selector: { matchLabels: { app: {{ $name }} } }
  template:
    metadata: { labels: { app: {{ $name }} } }
    spec:
      serviceAccountName: {{ if eq $name "grafana" }}grafana{{ else }}default{{ end }}
      terminationGracePeriodSeconds: 0
      containers:
        - name: {{ $name }}
          image: "harbor.test/higress/{{ $name }}:{{ $.Values.tag }}"
          env: [{ name: OWN, value: "1" }]
---
{{- end }}
`,
};

/** A chart with Higress' shape where it matters: a gateway without a key for volumes, an account without pull secrets. */
export async function writeGatewayChart(directory: string): Promise<string> {
  await mkdir(join(directory, "templates"), { recursive: true });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)));
  return directory;
}

/** The console's kind, with a schema that keeps what it does not know. */
export const wasmPluginCrd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: wasmplugins.extensions.higress.io }
spec:
  group: extensions.higress.io
  scope: Namespaced
  names: { plural: wasmplugins, singular: wasmplugin, kind: WasmPlugin, listKind: WasmPluginList }
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: { type: object, x-kubernetes-preserve-unknown-fields: true }
`;
