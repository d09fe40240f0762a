import type { GitopsEngine } from "../model/choices.ts";
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
    ...step(say.pullSecret, files.pullSecret, pullSecretCommand(namespace, files.pullSecret ?? "")),
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

export interface GitopsReadme {
  readonly bundle: string;
  readonly prefix: string;
  readonly namespace: string;
  readonly release: string;
  readonly engine: GitopsEngine;
  readonly url: string;
  readonly path: string;
  readonly pullSecret?: string | undefined;
  readonly secrets: readonly string[];
  readonly jobs: readonly { readonly name: string; readonly namespace: string }[];
  /** Folders, in their order. */
  readonly phases: readonly string[];
  readonly proof: ExportedFiles["proof"];
}

/** The README beside a folder that Argo CD, Flux or kustomize applies. */
export function gitopsReadme(facts: GitopsReadme, language: Language): string {
  const say = exportWords[language];
  const { namespace, prefix, proof, engine, release, secrets, jobs } = facts;
  const step = (text: string, wanted: boolean, ...commands: readonly string[]): readonly Step[] =>
    wanted ? [{ text, commands }] : [];
  const folders = facts.phases.flatMap((phase) => [
    `${apply} --force-conflicts -k ${phase}`,
    ...(phase.endsWith("-crds") ? [`kubectl wait --for=condition=Established -k ${phase}`] : []),
  ]);
  const steps = [
    ...step(say.namespace, true, `${apply} -k ${facts.phases[0] ?? ""}`),
    ...step(say.pullSecret, facts.pullSecret !== undefined, pullSecretCommand(namespace, facts.pullSecret ?? "")),
    ...step(
      fill(say.commitSecrets, { names: secrets.join(", ") }),
      secrets.length > 0,
      `${apply} -n ${namespace} -f secrets.yaml`,
    ),
    ...step(fill(say.commit, facts), engine !== "kustomize"),
    ...step(
      say.gitSecret,
      engine === "flux",
      `kubectl -n flux-system create secret generic ${release}-git --from-file=username --from-file=password`,
    ),
    ...step(
      say.jobs,
      engine === "kustomize" && jobs.length > 0,
      ...jobs.map((job) => `kubectl -n ${job.namespace} delete job ${job.name} --ignore-not-found`),
    ),
    ...step(say.applyFolder, engine === "kustomize", ...folders),
    ...step(say.applyArgocd, engine === "argocd", "kubectl apply -f argocd.yaml"),
    ...step(say.applyFlux, engine === "flux", "kubectl apply -f flux.yaml"),
  ];
  const verdict = proof.findings === 0 ? fill(say.proof, { ...proof, prefix }) : fill(say.proofFailed, proof);
  const head = [`# ${fill(say.title, facts)}`, verdict, fill(say.imagesFirst, { prefix }), say.secretsInside];
  return `${[...head, ...steps.map(printed)].join("\n\n")}\n`;
}

function pullSecretCommand(namespace: string, name: string): string {
  return `kubectl -n ${namespace} create secret generic ${name} --type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=config.json`;
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
  if (commands.length === 0) return `${at + 1}. ${text}`;
  return `${at + 1}. ${text}\n\n   \`\`\`sh\n${commands.map((command) => `   ${command}`).join("\n")}\n   \`\`\``;
}
