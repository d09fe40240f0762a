import { fieldManager } from "../model/kubernetes.ts";
import { fill } from "./fill.ts";
import type { Language } from "./language.ts";
import { exportWords } from "./messages/export-words.ts";

export interface ExportedRelease {
  readonly release: string;
  readonly namespace: string;
  /** Entry of the bundle. */
  readonly chart: string;
  /** kubectl applies one file into one namespace. */
  readonly manifests: readonly { readonly file: string; readonly namespace: string }[];
  readonly values: readonly string[];
}

/** Names of the files that were written; absent, where there is nothing of it. */
export interface ExportedFiles {
  readonly bundle: string;
  readonly prefix: string;
  readonly namespace: string;
  readonly namespaceFile: string;
  readonly pullSecret?: string | undefined;
  readonly before?: string | undefined;
  readonly crds?: string | undefined;
  readonly releases: readonly ExportedRelease[];
  readonly overlay?: string | undefined;
  readonly plugins?: string | undefined;
  readonly proof: { readonly images: number; readonly strings: number; readonly findings: number };
}

const apply = `kubectl apply --server-side --field-manager=${fieldManager}`;

/** The README beside rendered manifests: the order, and the very commands. */
export function exportReadme(files: ExportedFiles, language: Language): string {
  const say = exportWords[language];
  const { namespace, prefix, proof } = files;
  const step = (text: string, file: string | undefined, ...commands: readonly string[]): readonly Step[] =>
    file === undefined ? [] : [{ text, commands }];
  const steps: readonly Step[] = [
    { text: say.namespace, commands: [`${apply} -f ${files.namespaceFile}`] },
    ...step(
      say.pullSecret,
      files.pullSecret,
      `kubectl -n ${namespace} create secret generic ${files.pullSecret ?? ""} --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=config.json`,
    ),
    ...step(say.before, files.before, `${apply} -f ${files.before ?? ""}`),
    ...step(
      say.crds,
      files.crds,
      `${apply} --force-conflicts -f ${files.crds ?? ""}`,
      `kubectl wait --for=condition=Established -f ${files.crds ?? ""}`,
    ),
    ...files.releases.flatMap((release) => releaseSteps(release, language)),
    ...step(say.overlay, files.overlay, `${apply} --validate=false -f ${files.overlay ?? ""}`),
    ...step(say.plugins, files.plugins, `${apply} -f ${files.plugins ?? ""}`),
  ];
  const verdict = proof.findings === 0 ? fill(say.proof, { ...proof, prefix }) : fill(say.proofFailed, proof);
  const head = [`# ${fill(say.title, files)}`, verdict, fill(say.order, { prefix }), say.secretsInside];
  return `${[...head, ...steps.map(printed)].join("\n\n")}\n`;
}

interface Step {
  readonly text: string;
  readonly commands: readonly string[];
}

function releaseSteps(
  { release, namespace, chart, manifests, values }: ExportedRelease,
  language: Language,
): readonly Step[] {
  const say = exportWords[language];
  const files = values.map((file) => ` -f ${file}`).join("");
  return [
    {
      text: say.release,
      commands: manifests.map(
        (each) => `kubectl apply --server-side --field-manager=helm -n ${each.namespace} -f ${each.file}`,
      ),
    },
    { text: say.releaseByHelm, commands: [`helm upgrade --install ${release} ${chart} -n ${namespace}${files}`] },
  ];
}

function printed({ text, commands }: Step, at: number): string {
  return `${at + 1}. ${text}\n\n   \`\`\`sh\n${commands.map((command) => `   ${command}`).join("\n")}\n   \`\`\``;
}
