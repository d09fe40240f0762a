import { gzipSync } from "node:zlib";
import { Header } from "tar";

/** A packed chart made of these files, by their path in it. */
export function madeChart(name: string, files: Readonly<Record<string, string>>, version = "1.0.0"): Buffer {
  const all = { "Chart.yaml": `apiVersion: v2\nname: ${name}\nversion: ${version}\n`, ...files };
  const blocks = Object.entries(all).map(([path, text]) => entry(`${name}/${path}`, Buffer.from(text)));
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function entry(path: string, body: Buffer): Buffer {
  const block = Buffer.alloc(512);
  new Header({ path, type: "File", size: body.length, mode: 0o644, mtime: new Date(5000) }).encode(block, 0);
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

export const workload = (kind: string, name: string, spec: string): string => `apiVersion: apps/v1
kind: ${kind}
metadata: { name: "${name}" }
spec:
  selector: { matchLabels: { app: x } }
  template:
    metadata: { labels: { app: x } }
    spec:
${spec
  .split("\n")
  .map((line) => `      ${line}`)
  .join("\n")}
`;

/**
 * What charts keep in lists: whole containers, whose environment has an address that is nobody's registry, arguments,
 * names of images, and a pull secret that somebody has put there.
 */
export const listChart: Readonly<Record<string, string>> = {
  "values.yaml": `imagePullSecrets: [{ name: vendor }]
image: quay.io/acme/app:1
extraContainers:
  - { name: probe, image: "ghcr.io/acme/probe:2", env: [{ name: PEER, value: "peer.bank.example:8443" }] }
  - { name: cache, image: "redis:7" }
args: ["--sidecar=quay.io/acme/side:3", "--peer=peer.bank.example:8443"]
agents: [docker.io/acme/agent:4]
`,
  "templates/app.yaml": `${workload(
    "Deployment",
    "app",
    `{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 8 }}
{{- end }}
containers:
  - { name: app, image: "{{ .Values.image }}", args: {{ toJson .Values.args }} }
  {{- toYaml .Values.extraContainers | nindent 8 }}`,
  )}---
apiVersion: v1
kind: ConfigMap
metadata: { name: agents }
data:
  agents.json: '{{ toJson .Values.agents }}'
`,
};

/**
 * Everything that charts do with images, in one: registry and repository apart, a global registry that nobody sets, a
 * whole reference in one value, a feature behind a boolean, a subchart under an alias, an image that is written into the
 * template, one inside an argument, and a value that must not be a host.
 */
export const oddChart: Readonly<Record<string, string>> = {
  "Chart.yaml": `apiVersion: v2
name: odd
version: 1.0.0
dependencies:
  - { name: cache, version: 1.0.0, alias: store, condition: store.enabled }
`,
  "values.yaml": `global: {}
image: { registry: docker.io, repository: acme/app, tag: "1.0" }
sidecar: "quay.io/acme/side:2.0"
exporter: { enabled: false, image: { registry: ghcr.io, repository: acme/exporter, tag: "3" } }
mode: node.example.com
pullSecrets: []
store: { enabled: false }
`,
  "templates/app.yaml": `{{- if not (has .Values.mode (list "node.example.com" "edge")) }}{{ fail "mode" }}{{ end -}}
${workload(
  "Deployment",
  "{{ .Release.Name }}-app",
  `{{- with .Values.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
initContainers: [{ name: wait, image: "busybox:1.36" }]
containers:
  - { name: app, image: "{{ .Values.global.imageRegistry | default .Values.image.registry }}/{{ .Values.image.repository }}:{{ .Values.image.tag }}", args: ["--side={{ .Values.sidecar }}"], env: [{ name: AGENT_IMAGE, value: "images.vendor.example/agent:3.1" }] }
{{- if .Values.exporter.enabled }}
  - { name: exporter, image: "{{ .Values.global.imageRegistry | default .Values.exporter.image.registry }}/{{ .Values.exporter.image.repository }}:{{ .Values.exporter.image.tag }}" }
{{- end }}`,
)}`,
  "charts/cache/Chart.yaml": "apiVersion: v2\nname: cache\nversion: 1.0.0\n",
  "charts/cache/values.yaml": 'image: "redis:7"\nimagePullSecrets: []\n',
  "charts/cache/templates/cache.yaml": workload(
    "StatefulSet",
    "cache",
    `{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 8 }}
{{- end }}
containers: [{ name: cache, image: "{{ .Values.image }}" }]`,
  ),
};

/**
 * A company's own, as such charts are: names that depend on the release's or on nothing, a list of objects, custom
 * resources and secrets that name images, an image put together of values, one that a schema keeps from moving, a
 * workload for clusters that have an API, and one for upgrades.
 */
export const companyChart: Readonly<Record<string, string>> = {
  "values.yaml": `global: { imageRegistry: "" }
image: { host: reg.company.example, path: team/app, tag: "1" }
tools: "{{ .Values.image.host }}/team/tools:{{ .Values.image.tag }}"
shared: { registry: reg.company.example, repository: team/shared, tag: "1" }
fixed: { registry: docker.io, repository: acme/fixed, tag: "1" }
agent: { image: null }
`,
  "values.schema.json": JSON.stringify({
    properties: { fixed: { properties: { registry: { pattern: "^[a-z.]+$" }, repository: { pattern: "^acme/" } } } },
  }),
  "templates/_helpers.tpl": `{{- define "name" }}{{ if contains .Chart.Name .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}{{ end -}}
{{- define "image" }}{{ .global.imageRegistry | default .root.registry }}/{{ .root.repository }}:{{ .root.tag }}{{ end -}}
`,
  "templates/app.yaml": `${workload(
    "Deployment",
    '{{ include "name" . }}',
    `initContainers: [{ name: wait, image: "busybox:1.36" }]
containers:
  - { name: app, image: {{ printf "%s/%s:%s" .Values.image.host .Values.image.path .Values.image.tag }}, args: ["--image", "worker:1"], env: [{ name: PROXY_IMAGE, value: "proxy:4" }, { name: FROM, value: reg.company.example/team }] }
  - { name: tools, image: {{ tpl .Values.tools . | quote }} }
  - { name: shared, image: {{ include "image" (dict "root" .Values.shared "global" .Values.global) }} }
  - { name: fixed, image: {{ include "image" (dict "root" .Values.fixed "global" (dict "imageRegistry" "")) }} }`,
  )}---
${workload("DaemonSet", '{{ randAlphaNum 5 | lower }}', 'containers: [{ name: x, image: "made-up:1" }]')}---
${workload("StatefulSet", '{{ .Release.Name }}-migrate-{{ .Release.Revision }}', 'containers: [{ name: x, image: "migrate:1" }]')}---
{{ if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" }}
${workload("Deployment", "monitor", 'containers: [{ name: x, image: "{{ .Values.image.host }}/team/monitor:1" }]')}
{{ end }}
---
{{ if .Release.IsUpgrade }}
${workload("Deployment", "upgrade", 'containers: [{ name: x, image: "upgrade:1" }]')}
{{ end }}
`,
  "templates/test.yaml": `apiVersion: v1
kind: Pod
metadata: { name: try, annotations: { "helm.sh/hook": test } }
spec: { containers: [{ name: x, image: "busybox:1.36" }] }
`,
  "templates/list.yaml": `apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Pod, metadata: { name: listed }, spec: { containers: [{ name: x, image: "listed:1" }] } }
`,
  "templates/cluster.yaml": `apiVersion: acme.example/v1
kind: Cluster
metadata: { name: c }
spec:
  exporter: { image: { repository: reg.company.example/team/exporter, tag: "9" } }
  backup: { registry: reg.company.example, repository: team/backup, tag: "2" }
  other: { image: { repository: team/other, tag: "1" } }
`,
  "templates/secret.yaml": `apiVersion: v1
kind: Secret
metadata: { name: s }
data: { c.yaml: {{ "image: secret:1\\nx: y\\n" | b64enc }} }
`,
};
