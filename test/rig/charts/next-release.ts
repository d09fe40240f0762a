import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { madeChart } from "./made.ts";
import { sampleChart } from "./pack.ts";

const version = "2.9.0";
const { registry } = sampleChart;

/** The sample as its next release could be: an image renamed, a fixed one in an environment and in an init container, and a new component. */
export const nextRelease = {
  version,
  console: `${registry}/higress/console:1.0.0`,
  images: [
    ...["data-plane", "gateway", "higress", "pilot", "cert-manager-controller", "cert-manager-acmesolver", "cert-manager-ctl"].map(
      (name) => `${registry}/higress/${name}:1.0.0`,
    ),
    `${registry}/next/assistant:1.0.0`,
    "agents.vendor.example/tools/agent:3.1",
    "docker.io/library/busybox:1.36",
  ],
} as const;

const assistant = `apiVersion: apps/v1
kind: Deployment
metadata: { name: "{{ .Release.Name }}-assistant", namespace: "{{ .Release.Namespace }}" }
spec:
  selector: { matchLabels: { app: higress-assistant } }
  template:
    metadata: { labels: { app: higress-assistant } }
    spec:
      initContainers: [{ name: wait, image: "busybox:1.36" }]
      containers: [{ name: assistant, image: "{{ .Values.assistant.image.repository }}:{{ .Chart.AppVersion }}" }]
`;

/** Packs it into `folder`; returns the path. */
export async function packNextRelease(folder: string): Promise<string> {
  const source = join(dirname(fileURLToPath(import.meta.url)), "sample-higress");
  const found = await readdir(source, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of found.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(source.length + 1)] = (await readFile(path, "utf8")).replaceAll("version: 2.2.4", `version: ${version}`);
  }
  const core = "charts/higress-core";
  const change = (path: string, from: string, to: string): void => {
    const before = files[path] ?? "";
    if (!before.includes(from)) throw new Error(`${path} has no ${from}`);
    files[path] = before.replace(from, () => to);
  };
  change(`${core}/templates/gateway.yaml`, '"name" "gateway"', '"name" "data-plane"');
  change(
    `${core}/templates/gateway.yaml`,
    "            - name: PROXY_XDS_VIA_AGENT\n",
    "            - name: AGENT_IMAGE\n              value: agents.vendor.example/tools/agent:3.1\n            - name: PROXY_XDS_VIA_AGENT\n",
  );
  files[`${core}/templates/assistant.yaml`] = assistant;
  files[`${core}/values.yaml`] = `${files[`${core}/values.yaml`] ?? ""}assistant:\n  image: { repository: ${registry}/next/assistant }\n`;
  const path = join(folder, `higress-${version}.tgz`);
  await writeFile(path, madeChart("higress", files, version));
  return path;
}
