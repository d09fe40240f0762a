import { printTyped } from "../std/yaml.ts";
import { fill } from "./fill.ts";
import type { Language } from "./language.ts";
import { fileWords, type SpecSection } from "./messages/files.ts";

/** The first line, by which editors check and complete the file; the schema lies beside it, since there is no internet. */
const schemaLine = (name: string): string => `# yaml-language-server: $schema=./${name}`;

function comment(text: string, indent = ""): string {
  return text
    .split("\n")
    .map((line) => `${indent}# ${line}`.trimEnd())
    .join("\n");
}

export interface SpecFile {
  /** Name of the file itself, for the command in its head. */
  readonly file: string;
  readonly schema: string;
  /** A BundleSpec as it stands in a file. */
  readonly document: Readonly<Record<string, unknown>>;
}

const sections = [
  "platforms",
  "kubeVersion",
  "charts",
  "images",
  "plugins",
  "crds",
  "manifests",
  "tools",
  "registries",
] as const satisfies readonly SpecSection[];
const empty: Readonly<Partial<Record<SpecSection, unknown>>> = {
  images: [],
  crds: [],
  manifests: [],
  tools: {},
  registries: {},
};

/** A spec with a comment above every part of it, in the reader's language. */
export function specFile({ file, schema, document }: SpecFile, language: Language): string {
  const words = fileWords[language].spec;
  const { apiVersion, kind, name, version } = document;
  const parts = sections.map((key) => {
    const body = { [key]: document[key] ?? empty[key] };
    // A plugin, a registry or a tool reads best on one line.
    return `${comment(words[key])}\n${printTyped(body, key === "plugins" ? 3 : key === "charts" ? -1 : 2)}`;
  });
  return [
    `${schemaLine(schema)}\n${comment(fill(words.head, { file }))}\n${printTyped({ apiVersion, kind, name, version })}`,
    ...parts,
  ].join("\n");
}

export interface SiteFile {
  readonly file: string;
  readonly schema: string;
  readonly host: string;
  readonly project: string;
  readonly kubeconfig?: string | undefined;
  /** Of a cluster that was read. */
  readonly namespace?: string | undefined;
  readonly release?: string | undefined;
  readonly manifests?: readonly string[] | undefined;
  /** Hosts that may be of the closed network: a person takes them over. */
  readonly inside?: { readonly head: string; readonly hosts: readonly string[] } | undefined;
}

/** A site file: what must be set is set, what may be set stands as a comment with an example. */
export function siteFile({ file, schema, host, project, kubeconfig, ...found }: SiteFile, language: Language): string {
  const { namespace = "higress-system", release = "higress", manifests = [], inside } = found;
  const words = fileWords[language].site;
  const yaml = (value: string): string => printTyped(value).trimEnd();
  return `${schemaLine(schema)}
${comment(fill(words.head, { file }))}
apiVersion: higress-airgap/v1
kind: Site

registry:
${comment(words.host, "  ")}
  host: ${yaml(host)}
${comment(words.project, "  ")}
  project: ${yaml(project)}
${comment(words.ca, "  ")}
  # ca: registry-ca.pem
${comment(words.credentials, "  ")}
  # credentials: { username: robot$push, passwordFile: registry-password.txt }
${comment(words.createProject, "  ")}
  # createProject: { public: false }

${comment(words.pull)}
pull:
  secretName: higress-airgap-pull

${comment(words.cluster)}
cluster:
  ${kubeconfig === undefined ? "# kubeconfig: /root/.kube/config" : `kubeconfig: ${yaml(kubeconfig)}`}
  namespace: ${yaml(namespace)}
  release: ${yaml(release)}
  rolloutSeconds: 600

${comment(words.values)}
values: {}

${comment(words.plugins)}
plugins:
  mode: oci
  enable: []
  manifests: ${printTyped(manifests, 0).trimEnd()}
  watchSeconds: 30

${comment(words.trustKeys)}
# trustKeys: [release.pub]
${insideComment(inside)}
${comment(fill(words.registries, { host }))}
registries: {}
`;
}

/** As lines to be uncommented: what is declared inside is believed by every proof. */
function insideComment(inside: SiteFile["inside"]): string {
  if (inside === undefined || inside.hosts.length === 0) return "";
  return `\n${comment(`${inside.head}\n${printTyped({ inside: inside.hosts }).trimEnd()}`)}\n`;
}

/** Of a script that is made here and run where nobody knows which language is read. */
export const dataElsewhere =
  "The container that runs keeps its data in the first folder: copy it to the second, then run this again. / 正在运行的容器把数据保存在前一个目录：请先复制到后一个目录，再运行本脚本。";
